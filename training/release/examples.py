"""The example ECGs that ship with the dashboard: simulated test patients in MIMIC's own layout, and one real recording.

    python -m training examples --config training/configs/default.yaml --out assets/examples

Only patients of the test split are taken, so no model has seen them. Patients are chosen greedily until every group of
diagnoses, every finding and every lab abnormality that the test split holds has an example, at least `AT_LEAST` in all.
An ECG whose tracing does not meet the definition of a finding that its record states is left out, as is one with a
warning on its quality unless it is paced; no model has a say in it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

import ecgkt
from ecgkt.criteria.check import check
from ecgkt.model.analyzed import AnalyzedECG
from training.cohort.prepared import Prepared, load_prepared
from training.config import Config
from training.train.run import StageError

AT_LEAST = 30
AT_MOST = 48
REAL_NOTE = """# A real recording

`waveform_ecg.dcm` is the 12-lead ECG that ships with pydicom as a test file (MIT license, https://github.com/pydicom/pydicom).
It is the one real tracing among the examples; no laboratory values, no diagnosis are known of it.
"""


def write_examples(config: Config, out: Path) -> None:
    """Write `out`/simulated (MIMIC layout, about 30 patients) and `out`/real. Replaces what was there."""
    source = next((s for s in config.sources if s.kind == "simulated"), None)
    if source is None:
        raise StageError("Examples are taken from a simulated cohort, and this config has none.")
    prepared = load_prepared(config.folder / "prepared" / source.name)
    folder = next((config.folder / "simulated").rglob("record_list.csv")).parent
    codes = prepared.findings.columns

    patients = prepared.ecgs["patient"].to_numpy(str)

    def look_like_their_record(row: int) -> bool:
        """All ECGs of the patient, since all are copied."""
        return all(
            shows(
                folder / f"{prepared.ecgs['path'].iloc[each]}.hea",
                codes[(prepared.findings.iloc[each] == 1).to_numpy()],
            )
            for each in np.flatnonzero(patients == patients[row])
        )

    chosen = choose(prepared, coded_in_icd9(config.folder / "simulated"), look_like_their_record)
    subjects = {int(str(patient).removeprefix(f"{prepared.info['source']}:")) for patient in chosen["patient"]}
    shutil.rmtree(out / "simulated", ignore_errors=True)
    copy_subset(config.folder / "simulated", out / "simulated", subjects)
    _copy_real(out / "real")
    print(f"{len(chosen)} simulated patients and one real recording written to {out}")


def coded_in_icd9(cohort: Path) -> frozenset[str]:
    """Subjects of a MIMIC-layout cohort with a code of ICD-9-CM, which the dashboard does not show."""
    table = str(cohort / "mimic-iv-ed/ed/diagnosis.csv*").replace("'", "''")
    found = duckdb.connect().execute(
        f"SELECT DISTINCT subject_id FROM read_csv('{table}', all_varchar=true) WHERE trim(icd_version) = '9'"
    )
    return frozenset(str(subject) for (subject,) in found.fetchall())


def shows(path: Path, stated: Collection[str]) -> bool:
    """Does a tracing meet the definition of every finding stated of it, as far as it can be measured, without a
    warning (paced ones apart, which always have one)?"""
    ecg = AnalyzedECG(ecgkt.read(path))
    if not ecg.quality.ok or (ecg.warnings and "PACE" not in stated):
        return False
    found = (check(code, ecg.quantities, ecg.ecg.age) for code in stated)
    return not any(each is not None and each.verdict == "not met" for each in found)


def choose(
    prepared: Prepared, icd9: frozenset[str] = frozenset(), is_example: Callable[[int], bool] = lambda _: True
) -> pd.DataFrame:
    """One ECG each of `AT_LEAST` to `AT_MOST` test patients that together show every group, finding and lab.

    icd9: subjects who are no example of a group of diagnoses, since their codes are not shown. is_example: whether the
    ECG in a row of the prepared set may be taken; asked of few.
    """
    rows = prepared.rows("test")
    wanted = _what_each_shows(prepared, rows)
    patients = prepared.ecgs["patient"].to_numpy(str)[rows]
    groups = len({entry["group"] for entry in prepared.info["labels"]["diagnoses"]})
    wanted[np.ix_([patient.split(":")[-1] in icd9 for patient in patients], range(groups))] = False
    taken: list[int] = []
    uncovered = wanted.any(axis=0)
    left = np.ones(len(rows), dtype=bool)
    while left.any() and len(taken) < AT_MOST and (uncovered.any() or len(taken) < AT_LEAST):
        gain = (wanted & uncovered).sum(axis=1) + 0.01 * wanted.sum(axis=1)
        best = int(np.argmax(np.where(left, gain, -1.0)))
        if not is_example(int(rows[best])):
            left[best] = False
            uncovered &= wanted[left].any(axis=0)  # what no other ECG shows is not waited for
            continue
        taken.append(best)
        left &= patients != patients[best]
        uncovered = uncovered & ~wanted[best]
    return prepared.ecgs.iloc[rows[taken]]


def _what_each_shows(prepared: Prepared, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """[rows, things] bool: diagnosis groups, findings and lab abnormalities that each ECG is an example of."""
    groups: dict[str, list[str]] = {}
    for entry in prepared.info["labels"]["diagnoses"]:
        groups.setdefault(entry["group"], []).append(entry["code"])
    columns = [(prepared.diagnoses[codes].iloc[rows] == 1).any(axis=1).to_numpy() for codes in groups.values()]
    for table in (prepared.findings, prepared.labs):
        columns += [(table[code].iloc[rows] == 1).to_numpy() for code in table.columns]
    return np.stack(columns, axis=1)


def copy_subset(source: Path, out: Path, subjects: set[int]) -> None:
    """Copy a MIMIC-layout cohort for these subjects only: each table by subject_id, their records as they are."""
    listed = ", ".join(f"'{subject}'" for subject in sorted(subjects))
    for table in sorted([*source.rglob("*.csv"), *source.rglob("*.csv.gz")]):
        relative = table.relative_to(source)
        if relative.parts[0] == "truth" or relative.parts[0].startswith("."):
            continue
        target = out / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        path = str(table).replace("'", "''")
        header = duckdb.connect().execute(f"describe select * from read_csv('{path}', all_varchar=true)").fetchall()
        chosen = f"where subject_id in ({listed})" if "subject_id" in {column[0] for column in header} else ""
        rows = duckdb.connect().execute(f"select * from read_csv('{path}', all_varchar=true) {chosen}").df()
        rows.to_csv(target, index=False, compression={"method": "gzip", "mtime": 0} if target.suffix == ".gz" else None)
    records = pd.read_csv(next(out.rglob("record_list.csv")), dtype=str)["path"]
    ecg_folder = next(source.rglob("record_list.csv")).parent
    for record in records:
        for suffix in (".hea", ".dat"):
            origin = (ecg_folder / record).with_suffix(suffix)
            target = out / origin.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, target)
    note = source / "SIMULATED.md"
    if note.exists():
        shutil.copyfile(note, out / "SIMULATED.md")


def _copy_real(out: Path) -> None:
    from pydicom.data import get_testdata_file

    found = get_testdata_file("waveform_ecg.dcm", download=False)
    if found is None:
        raise StageError("pydicom's test files are not installed, so the real example is missing.")
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(str(found), out / "waveform_ecg.dcm")
    (out / "README.md").write_text(REAL_NOTE)
