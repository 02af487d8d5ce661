"""Where MIMIC-IV-ECG lies: unpacked, or in the zip that PhysioNet gives out, which stays packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgkt.datasets.mimic.tables import RECORDS, SIMULATED, folders, is_simulated
from ecgkt.datasets.mimic.tables import find_table as find
from training.cohort.signals.convert import RecordFiles, Records
from training.cohort.signals.zip_archive import Entry, entries, extract, zipped_records

ZIP = "mimic-iv-ecg*.zip"
LISTS = ("record_list.csv", "machine_measurements.csv")  # DuckDB cannot read in a zip, so these are unpacked


@dataclass(frozen=True)
class Waveforms:
    """tables: those of MIMIC-IV-ECG that do not lie below the source; folder: of record_list, in the zip if `zip`."""

    zip: Path | None
    folder: str
    tables: dict[str, Path]
    simulated: bool

    def records(self, paths: Sequence[str]) -> Records:
        """The records at `paths` of record_list. Raises ValueError for one that leaves its folder."""
        if any(path.startswith("/") or ".." in path.split("/") for path in paths):
            raise ValueError("record_list names a path outside its own folder.")
        if self.zip is None:
            return RecordFiles(self.folder, list(paths))
        return zipped_records(self.zip, self.folder, paths)


def find_waveforms(source: Path, work: Path) -> Waveforms:
    """MIMIC-IV-ECG at or below `source`, or in a zip there or beside it, whose lists are unpacked into `work`.

    Raises ValueError when there are several zips, or one that does not hold MIMIC-IV-ECG.
    """
    listed = find(source, "record_list")
    if listed is not None and (listed.parent / RECORDS).is_dir():
        return Waveforms(None, str(listed.parent), {}, is_simulated(source, listed))
    zips = [file for folder in folders(source) for file in sorted(folder.glob(ZIP))]
    zips = zips or sorted(source.resolve().parent.glob(ZIP))
    if len(zips) > 1:
        raise ValueError(f"Several zips could hold the tracings; leave one: {', '.join(file.name for file in zips)}.")
    if not zips:
        simulated = listed is not None and is_simulated(source, listed)
        return Waveforms(None, str(listed.parent) if listed else "", {}, simulated)
    return _in_zip(source, zips[0], work)


def _in_zip(source: Path, file: Path, work: Path) -> Waveforms:
    found: dict[str, Entry] = {}
    marked = False
    for path, entry in entries(file):
        name = path.rsplit("/", 1)[-1]
        marked |= name == SIMULATED
        if name in LISTS:
            found[path] = entry
    lists = {path for path in found if path.endswith(LISTS[0])}
    if len(lists) != 1:
        raise ValueError(f"{file.name} does not hold MIMIC-IV-ECG: it has {len(lists)} files {LISTS[0]}.")
    folder = lists.pop().removesuffix(LISTS[0])
    tables = {}
    for name in LISTS:
        table = name.removesuffix(".csv")
        if folder + name in found and find(source, table) is None:
            tables[table] = extract(file, found[folder + name], work / name)
    return Waveforms(file, folder, tables, marked or is_simulated(source, file))
