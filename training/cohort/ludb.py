"""LUDB in its own layout (ludb.csv, data/1.hea ...) -> a prepared cohort: its cardiologists' words as statements.

    python -m training prepare ludb DIR --out DIR

Rhythm, conduction, extrasystoles, pacing, ischemia and repolarization were looked for in each ECG, so what is not said
of them is absent. Hypertrophy is said of 142 of 200, the left ventricle's of 108, and is taken as unknown. What each
text means: training/cohort/labels/ludb.csv.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ecgkt.readers.format import years
from training.cohort.config import load_config
from training.cohort.labels.masked import Said, ludb, masked_findings
from training.cohort.other_sets import NONE, OtherSets
from training.cohort.prepared import RECORDED, Prepared
from training.cohort.provenance import NOTHING, Stated, license_of, note_of
from training.cohort.signals.convert import RecordFiles
from training.cohort.without_tables import About, Selection, splits_by_hash, write_without_tables

SOURCE = "ludb"
TABLE = "ludb.csv"
NOTE = "Hypertrophy is taken as unknown."
SEX = {"M": "male", "F": "female"}
# Of every column that `ludb.csv` here maps, all that it can say; hypertrophy apart.
COLUMNS = (
    "Rhythms", "Conduction abnormalities", "Extrasystolies", "Cardiac pacing", "Ischemia",
    "Non-specific repolarization abnormalities", "Other states", "Hypertrophies",
)  # fmt: skip
SINUS = ("Sinus rhythm", "Sinus bradycardia", "Sinus tachycardia", "Sinus arrhythmia")
TOLD = frozenset({"CD", "MI", "STTC", "AFIB", "AFLT", "STACH", "SBRAD", "SARRH", "PAC", "PVC", "PACE"})
_GAIN = re.compile(rb"(?<= 16 )[\d.]+(?=\(|/)")


@dataclass(frozen=True)
class LudbFiles(RecordFiles):
    """LUDB's headers state for each lead the gain with which it would span 1 mV. The samples themselves are microvolts:
    I + III is II in them to the unit, which could not be if every lead had a gain of its own, and their spans are those
    of other ECGs (median .84 mV in aVL to 2.3 mV in V4)."""

    def part(self, first: int, last: int) -> LudbFiles:
        return LudbFiles(self.folder, self.names[first:last])

    def read(self, record: int) -> tuple[bytes, bytes]:
        header, samples = super().read(record)
        return _GAIN.sub(b"1000", header), samples


def _listed(source: Path) -> pd.DataFrame:
    """A line a record: ecg_id, patient, path, said (column, text), age, sex, reason."""
    file = source / TABLE
    if not file.is_file():
        raise FileNotFoundError(f"There is no {TABLE} in the source.")
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as opened:
        table = csv.DictReader(opened)
        missing = [column for column in ("ID", "Sex", "Age", *COLUMNS) if column not in (table.fieldnames or ())]
        if missing:
            raise ValueError(f"{TABLE} lacks the column {', '.join(missing)}.")
        rows = [_row(source, {key: value or "" for key, value in row.items() if key}) for row in table]
    return pd.DataFrame(rows).astype({"age": "float32"})


def _row(source: Path, row: dict[str, str]) -> dict[str, object]:
    number = row["ID"].strip()
    said = [(column, text) for column in COLUMNS for line in row[column].split("\n") if (text := line.strip())]
    path = f"data/{number}"
    there = number.isdigit() and (source / f"{path}.hea").is_file()
    return {
        "ecg_id": number, "patient": number, "path": path, "said": said, "age": years(row["Age"].strip()),
        "sex": SEX.get(row["Sex"].strip()), "reason": "" if there else "no tracing",
    }  # fmt: skip


def _meaning(said: list[tuple[str, str]]) -> Said:
    rules = [ludb()[entry] for entry in said if entry in ludb()]
    normal = all(column == "Rhythms" and text in SINUS for column, text in said)
    return Said(
        frozenset().union(*(rule.present for rule in rules)),
        frozenset().union(*(rule.open for rule in rules)),
        TOLD,
        normal,
    )


def prepare_ludb(
    source: Path, out: Path, config: Path | None = None, stated: Stated = NOTHING, others: OtherSets = NONE
) -> Prepared:
    """Prepare LUDB at `source` into `out`; the other arguments as of `prepare_ptbxl`. Raises FileNotFoundError and
    ValueError for a missing file or column."""
    source, out, settings = Path(source), Path(out), load_config(config)
    selected = Selection(_listed(source))
    out.mkdir(parents=True, exist_ok=True)
    selected.keep("with a tracing", selected.ecgs["reason"])
    selected.keep("in no other set", others.taken(SOURCE, selected.ecgs["ecg_id"]))
    selected.keep_usable(LudbFiles(str(source), selected.ecgs["path"].tolist()), out, settings)
    ecgs = selected.ecgs
    ecgs["patient"] = f"{SOURCE}:" + ecgs["patient"]
    ecgs["split"] = others.kept_splits(ecgs["patient"], splits_by_hash(ecgs["patient"], settings))
    unread = Counter(entry for said in ecgs["said"] for entry in said if entry not in ludb())
    remarks = [f"Texts without a statement: {len(unread)} of them, in {sum(unread.values())} places."] * bool(unread)
    about = About(SOURCE, RECORDED, license_of(stated, False, [source]), note_of(stated, False, NOTE))
    findings = masked_findings([_meaning(said) for said in ecgs["said"]])
    return write_without_tables(out, selected, findings, about, remarks, settings)
