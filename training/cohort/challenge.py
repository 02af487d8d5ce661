"""Records of the PhysioNet/CinC Challenges 2020 and 2021 -> a prepared cohort; SNOMED CT codes as SCP-ECG statements.

    python -m training prepare challenge DIR --out DIR

The records (.hea with .mat) may lie in folders below DIR, however deep. What a code means, and which statements each of
the Challenge's sources tells at all: training/cohort/labels/challenge.csv and challenge_sources.csv. The Challenge does
not say whose a record is, so each is a patient, and sources whose patients have several are for training only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from ecgkt.ecg import ECGError
from ecgkt.readers.wfdb_header import parse_header
from training.cohort.config import load_config
from training.cohort.labels.masked import challenge_codes, challenge_source, masked_findings, said_in_challenge
from training.cohort.other_sets import NONE, OtherSets
from training.cohort.prepared import RECORDED, Prepared
from training.cohort.provenance import NOTHING, Stated, license_of, note_of
from training.cohort.signals.any_format import AnyFiles
from training.cohort.signals.wfdb16 import LARGEST
from training.cohort.without_tables import About, Selection, splits_by_hash, write_without_tables

SOURCE = "challenge"
NOTE = "What a source does not tell is unknown."
DIAGNOSES = "#dx:"


def _listed(source: Path) -> pd.DataFrame:
    """A line a record: ecg_id, patient, path, codes, age, sex, reason ("" or why it is left out)."""
    rows = []
    for header in sorted(source.rglob("*.hea")):
        name = header.stem
        row = {"ecg_id": name, "patient": name, "path": str(header.relative_to(source)), "codes": (), "age": None}
        rows.append({**row, "sex": None, "reason": "", **_about(header)})
    if not rows:
        raise FileNotFoundError("There is no record (.hea) in the source.")
    return pd.DataFrame(rows).astype({"age": "float32"}).sort_values(["ecg_id", "path"]).reset_index(drop=True)


def _about(header: Path) -> dict[str, object]:
    origin = challenge_source(header.stem)
    if origin is None:
        return {"reason": "no record of the Challenge"}
    if origin.left_out:
        return {"reason": origin.left_out}
    if header.stat().st_size > LARGEST:
        return {"reason": "unreadable header"}
    content = header.read_bytes()
    codes = tuple(_codes(content))
    try:
        parsed = parse_header(content)
    except ECGError:
        return {"reason": "unreadable header"}
    return {"codes": codes, "age": parsed.age, "sex": parsed.sex, "reason": "" if codes else "no diagnosis stated"}


def _codes(header: bytes) -> Iterator[str]:
    """The SNOMED CT codes of a header's comments."""
    for line in header.decode("latin-1").splitlines():
        if line.replace(" ", "").lower().startswith(DIAGNOSES):
            yield from (code for part in line.split(":", 1)[1].split(",") if (code := part.strip()).isdigit())


def prepare_challenge(
    source: Path, out: Path, config: Path | None = None, stated: Stated = NOTHING, others: OtherSets = NONE
) -> Prepared:
    """Prepare the Challenge's records below `source` into `out`; the other arguments as of `prepare_ptbxl`.

    Gains that some headers state by mistake are put right as whenever such a file is read. Raises FileNotFoundError
    where there is no record, ValueError where none is usable.
    """
    source, out, settings = Path(source), Path(out), load_config(config)
    if not source.is_dir():
        raise FileNotFoundError(f"There is no folder {source}.")
    out.mkdir(parents=True, exist_ok=True)
    selected = Selection(_listed(source))
    twice = selected.ecgs.duplicated("ecg_id")
    selected.keep("with a diagnosis, once", selected.ecgs["reason"].mask(twice, "listed more than once"))
    selected.keep("in no other set", others.taken(SOURCE, selected.ecgs["ecg_id"]))
    selected.keep_usable(AnyFiles(str(source), selected.ecgs["path"].tolist()), out, settings)
    ecgs = selected.ecgs
    origins = [challenge_source(name) for name in ecgs["ecg_id"]]
    known = [origin for origin in origins if origin is not None]
    ecgs["patient"] = f"{SOURCE}:" + ecgs["ecg_id"]
    several = pd.Series([origin.several_ecgs for origin in known], index=ecgs.index)
    drawn = splits_by_hash(ecgs["patient"], settings).mask(several, "train")
    ecgs["split"] = others.kept_splits(ecgs["patient"], drawn)
    said = [said_in_challenge(origin, codes) for origin, codes in zip(known, ecgs["codes"], strict=True)]
    note = note_of(stated, False, NOTE)
    about = About(SOURCE, RECORDED, license_of(stated, False, [source]), note)
    silent = Counter(code for codes in ecgs["codes"] for code in codes if code not in challenge_codes())
    remarks = [f"By source: {_counted(Counter(origin.code for origin in known))}."]
    if silent:
        remarks.append(f"Codes without a statement: {_counted(silent)}.")
    return write_without_tables(out, selected, masked_findings(said), about, remarks, settings)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{what} ({n})" for what, n in sorted(counts.items()))
