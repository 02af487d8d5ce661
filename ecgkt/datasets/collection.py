"""A folder of ECGs browsed in place: MIMIC-IV-ECG's layout, PTB-XL's, or any folder with files of a format read here.

Subject and study ids stay inside; titles and keys are numbers in the order of the list.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from ecgkt import vocabulary
from ecgkt.datasets import ptbxl
from ecgkt.datasets.files import EXTENSIONS, LeftOut, ecg_files, leads_out, quiet
from ecgkt.datasets.mimic.records import MimicRecord, mimic_records
from ecgkt.datasets.mimic.tables import RECORDS, SIMULATED, TABLES, find_table, folders
from ecgkt.ecg import ECG, ECGError, Sex
from ecgkt.readers import read, record_files
from ecgkt.readers.opening import content_of

MOST_LINES = 100_000  # of PTB-XL's table that are looked at; it has 21,799
MOST_FILES = 5000  # entries of any one collection; a list longer than that is no list to browse


@dataclass(frozen=True)
class Entry:
    """One ECG of a collection.

    findings: SCP-ECG statements that the data state. diagnoses: ICD-10-CM codes of the stay, cut at 5 characters, with
    their ancestors. measured: labs beyond the vocabulary's reference limits near the ECG ("potassium_high").
    has_table: are there labs, vitals or biometrics for it? Ages above 89 may be grouped by their source.
    patient: one number for all ECGs of one patient, None where the folder does not say whose they are. hours: since
    that patient's first ECG, None where not known.
    """

    key: str
    title: str
    source: str
    simulated: bool
    age: float | None = None
    sex: Sex | None = None
    findings: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    has_table: bool = False
    patient: int | None = None
    hours: float | None = None


@dataclass(frozen=True)
class _Item:
    entry: Entry
    path: Path
    clinical: dict[str, float]


class Collection:
    """Entries in a fixed order; tracings are read when asked for. Nothing is changed after construction."""

    def __init__(self, name: str, items: list[_Item], left_out: tuple[str, ...] = (), root: Path | None = None) -> None:
        """root: files that are links out of it are not read."""
        self.name, self._root = name, root
        self.left_out = left_out  # sentences on what of the folder cannot be opened, and is not among the entries
        self.entries: tuple[Entry, ...] = tuple(item.entry for item in items)
        self._items = {item.entry.key: item for item in items}
        self._patients: dict[int | None, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            self._patients[entry.patient].append(entry)

    def entry(self, key: str) -> Entry:
        """Raises KeyError for an unknown key."""
        return self._items[key].entry

    def of_same_patient(self, key: str) -> tuple[Entry, ...]:
        """All entries of that entry's patient, itself included, in the order of time (of the list, where no time is
        known); itself alone where its patient is not known. Raises KeyError."""
        entry = self.entry(key)
        if entry.patient is None:
            return (entry,)
        return tuple(sorted(self._patients[entry.patient], key=lambda e: e.hours or 0.0))

    def read(self, key: str) -> ECG:
        """The tracing, with age and sex from the tables where its file has none. Raises ECGError, KeyError."""
        item = self._items[key]
        ecg = read(record_files(item.path, self._root))
        return replace(
            ecg,
            age=ecg.age if ecg.age is not None else item.entry.age,
            sex=ecg.sex if ecg.sex is not None else item.entry.sex,
        )

    def drawn_from(self, key: str) -> tuple[int, int] | None:
        """(seed, study) with which `ecgkt.simulation` drew this ECG; None for one that was recorded, or where the note
        beside the cohort does not tell the seed. Raises KeyError."""
        item = self._items[key]
        if not item.entry.simulated or not item.path.stem.isdigit():
            return None
        note = next((file for folder in item.path.parents if quiet((file := folder / SIMULATED).is_file)), None)
        try:
            text = content_of(note, self._root).decode("utf-8", "replace") if note else ""
        except (OSError, ECGError):
            return None
        seed = re.search(r"^- seed (\d{1,18})$", text, re.MULTILINE)
        return (int(seed[1]), int(item.path.stem)) if seed else None

    def clinical(self, key: str) -> dict[str, float]:
        """What was measured near the ECG; what was not is absent.

        Keys: "lab:potassium" ... (units of labs.csv, nearest within 60 min), "vital:heartrate", "vital:resprate"
        (1/min), "vital:o2sat" (%), "vital:sbp", "vital:dbp" (mmHg), "vital:temperature" (Celsius; nearest within
        30 min), "biometric:age" (years), "biometric:sex" (1 male, 0 female), "biometric:weight" (kg),
        "biometric:height" (cm), "biometric:bmi" (kg/m2).
        """
        return dict(self._items[key].clinical)


def open_collection(path: str | Path) -> Collection:
    """What kind of folder this is, found out by what lies in it. Raises ECGError when it holds no ECG.

    What of it cannot be opened is left out and told in the collection's `left_out`.
    """
    if not quiet(Path(path).is_dir):
        raise ECGError("There is no such folder.")
    root = Path(path).resolve()  # and no other, should a link take its name
    simulated = (root / SIMULATED).is_file()
    record_list = find_table(root, "record_list")
    database = next((f for place in folders(root) if quiet((f := place / ptbxl.DATABASE).is_file)), None)
    left_out = LeftOut()
    items: list[_Item] = []
    tables = [find_table(root, name, table.folder) for name, table in TABLES.items()] if record_list else [database]
    if any(table is not None and leads_out(table, root) for table in tables):
        raise ECGError("A table here is reached by a link that leads out of the folder; open the folder it leads to.")
    if record_list is not None:
        found = mimic_records(root, record_list, MOST_FILES, left_out)
        items = [_mimic_item(i, record) for i, record in enumerate(found, 1)]
        # Single recordings may lie beside a cohort, never inside its folder of records.
        records = record_list.parent
        skip = records / RECORDS if records == root else records
        loose = ecg_files(root, MOST_FILES, EXTENSIONS - {".hea"}, skip, left_out)
        items += [_file_item(i, file, False) for i, file in enumerate(loose, 1)]
    elif database is not None:
        items = _ptbxl_items(database, root, left_out)
    else:
        items = [
            _file_item(i, file, simulated) for i, file in enumerate(ecg_files(root, MOST_FILES, left_out=left_out), 1)
        ]
    said = left_out.sentences()
    if not items:
        raise ECGError(" ".join(("There is no ECG in this folder.", *said)))
    return Collection(Path(path).name, items, said, root)


def _mimic_item(number: int, record: MimicRecord) -> _Item:
    what = f"patient {record.patient}" + (f", ECG {record.ecg}" if record.ecg > 1 else "")
    entry = Entry(
        key=f"{'simulated' if record.simulated else 'mimic'}-{number}",
        title=f"Simulated {what}" if record.simulated else what.capitalize().replace("ecg", "ECG"),
        source="Simulated" if record.simulated else "MIMIC-IV-ECG",
        simulated=record.simulated,
        age=record.clinical.get("biometric:age"),
        sex=_sex(record.clinical),
        findings=record.findings,
        diagnoses=record.diagnoses,
        measured=_abnormal(record.clinical),
        has_table=any(key not in ("biometric:age", "biometric:sex") for key in record.clinical),
        patient=record.patient,
        hours=record.hours,
    )
    return _Item(entry, record.path, record.clinical)


def _sex(clinical: dict[str, float]) -> Sex | None:
    if "biometric:sex" not in clinical:
        return None
    return "male" if clinical["biometric:sex"] == 1 else "female"


def _abnormal(clinical: dict[str, float]) -> tuple[str, ...]:
    flags = {code: lab.flag(clinical.get(f"lab:{code}", math.nan)) for code, lab in vocabulary.labs().items()}
    return tuple(f"{code}_{flag}" for code, flag in flags.items() if flag)


def _ptbxl_items(database: Path, root: Path, left_out: LeftOut) -> list[_Item]:
    """records500 where they are there, else records100."""
    items: list[_Item] = []
    patients: dict[str, int] = {}  # the data set's own number -> ours
    times: list[datetime | None] = []
    lines = ptbxl.recordings(database, ("age", "sex", "scp_codes"), left_out.line, root)
    for each in islice(lines, MOST_LINES):
        names = [name for name in (each.high, each.low) if name and _inside(database.parent, name)]
        path = next((p for name in names if quiet((p := database.parent / f"{name}.hea").is_file)), None)
        if path is None:
            continue
        number = len(items) + 1
        entry = Entry(
            key=f"ptbxl-{number}",
            title=f"Recording {number}",
            source="PTB-XL",
            simulated=False,
            age=each.age,
            sex=each.sex,
            findings=each.statements or (),
            has_table=each.weight is not None or each.height is not None,
            patient=patients.setdefault(each.patient, len(patients) + 1) if each.patient else None,
        )
        items.append(_Item(entry, path, _biometrics(each)))
        times.append(each.time)
        if len(items) == MOST_FILES:
            break
    return _with_hours(items, times)


def _with_hours(items: list[_Item], times: list[datetime | None]) -> list[_Item]:
    """Each item with the hours since its patient's first ECG, where both times are known."""
    first: dict[int | None, datetime] = {}
    for item, time in zip(items, times, strict=True):
        if time is not None:
            first[item.entry.patient] = min(time, first.get(item.entry.patient, time))
    return [
        item
        if time is None or item.entry.patient is None
        else replace(item, entry=replace(item.entry, hours=(time - first[item.entry.patient]).total_seconds() / 3600))
        for item, time in zip(items, times, strict=True)
    ]


def _inside(folder: Path, name: str) -> bool:
    return quiet(lambda: (folder / name).resolve().is_relative_to(folder.resolve()))


def _biometrics(recording: ptbxl.Recording) -> dict[str, float]:
    male = None if recording.sex is None else float(recording.sex == "male")
    values = {"age": recording.age, "sex": male, "weight": recording.weight, "height": recording.height}
    return {f"biometric:{name}": value for name, value in values.items() if value is not None}


def _file_item(number: int, path: Path, simulated: bool) -> _Item:
    entry = Entry(f"file-{number}", f"Recording {number}", "Simulated" if simulated else "Recording", simulated)
    return _Item(entry, path, {})
