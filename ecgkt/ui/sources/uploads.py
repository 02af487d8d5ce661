"""Uploads: files -> one ECG of this session. Names and bytes are not shown, logged or cached."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ecgkt.ecg import ECG, LEADS, ECGError
from ecgkt.intake import Outcome, read_upload
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.readers import TableLayout
from ecgkt.readers.zip_archive import is_zip
from ecgkt.ui import keys
from ecgkt.ui.session import Opened, remember
from ecgkt.ui.sources import upload_limits
from ecgkt.ui.widgets import html

UNITS = {"mV": 1.0, "µV": 1000.0, "ADC units": None}  # units in 1 mV
WFDB_PARTS = (".hea", ".dat", ".mat")  # files of a record that may be chosen one after another
Group = Mapping[str, UploadedFile]  # by name
PATIENCE = 20.0  # s, after which no further archive, or file of a name that there was, is begun; one takes .1 s
LATE = "It was not read, since what was chosen with it took too long; upload it by itself."
USUAL_SPAN = (0.1, 20.0)  # mV, of a lead; beyond it the unit is doubted


def receive() -> Opened:
    """The record uploaded (one is chosen if there are several); a sentence and no more when there is none."""
    files = st.file_uploader(
        "A 12-lead ECG: WFDB (.hea with its .dat or .mat, together), DICOM, XML of GE MUSE or CardioSoft, Philips, "
        "Mortara or HL7, SCP-ECG, EDF, ISHNE, CSV, .npy, or a zip of these",
        accept_multiple_files=True,
        key="upload",
    )
    if not files:
        html.text(
            "The tracing is read in memory, on the computer that runs the dashboard, and deleted when the tab is "
            "closed. Only the patient's age band and sex are shown."
        )
        st.stop()
    opened = read_one(files)
    if opened is None:
        st.stop()
    return opened


def read_one(files: Sequence[UploadedFile], slot: str = "") -> Opened | None:
    """The ECG in `files` (one is chosen if there are several); None when there is none, after saying why.

    What has been read is kept as an ECG or a sentence, and the files themselves are let go: no header outlives its
    reading. Those wait that may be read anew: tables of numbers, whose layout may change, and parts of a record.
    slot: tells the widgets of two uploads on one page apart.
    """
    every: dict[str, list[_Result]] = st.session_state.setdefault(keys.READ_UPLOADS, {})
    chosen = {file.file_id for file in files}
    kept = every[slot] = [result for result in every.get(slot, []) if result.files <= chosen]
    read = frozenset[str]().union(*(result.files for result in kept))
    waiting = [file for file in files if file.file_id not in read and file.type not in upload_limits.SENTENCES]
    new: list[_Result] = []
    unfinished: set[str] = set()
    outcomes, layout = _read(list(_groups(waiting)), slot)
    held = sum(_bytes(result.found) for results in every.values() for result in results)
    for number, (group, outcome) in enumerate(outcomes, start=max((each.number for each in kept), default=0) + 1):
        ids = _ids(group, outcome)
        name = f"Upload {number} ({outcome.format})" if outcome.format else f"Upload {number}"
        key = f"upload:{layout}:{outcome.digest}"
        found: Opened | str = outcome.refusal
        if outcome.ecg is not None and held + outcome.ecg.signal.nbytes > upload_limits.TRACINGS:
            found = upload_limits.FULL
        elif outcome.ecg is not None:
            held += outcome.ecg.signal.nbytes
            found = remember((key, name), partial(_open, outcome.ecg, key, name))
        new.append(_Result(ids, number, name, found))
        if outcome.is_table or (outcome.ecg is None and _may_lack_a_part(group, ids)):
            unfinished |= ids
        if outcome.is_table and outcome.ecg is not None:
            _preview(name, outcome.ecg)
    kept += [result for result in new if not result.files & unfinished]
    upload_limits.let_go(frozenset[str]().union(*(result.files for result in kept)))
    for sentence in upload_limits.refusals(files):
        st.error(sentence)
    return _choose([*kept, *(result for result in new if result.files & unfinished)], slot)


@dataclass(frozen=True)
class _Result:
    """An ECG, or a sentence why there is none, and the ids of the files that it was read from."""

    files: frozenset[str]
    number: int
    name: str
    found: Opened | str


def _bytes(found: Opened | str) -> int:
    """Of the samples that stay open."""
    return found.ecg.signal.nbytes if isinstance(found, Opened) else 0


def _choose(results: Sequence[_Result], slot: str) -> Opened | None:
    opened = [result.found for result in results if isinstance(result.found, Opened)]
    for result in results:
        if isinstance(result.found, str):
            st.error(f"{result.name}: {result.found}")
    if len(opened) < 2:
        return opened[0] if opened else None
    chosen = st.selectbox(
        "Record", range(len(opened)), format_func=lambda i: opened[i].source, key=f"upload_record{slot}"
    )
    return opened[chosen or 0]


def _groups(files: Sequence[UploadedFile]) -> Iterator[Group]:
    """Files that are read together: those that may be parts of one record, each zip by itself. Of several files of one
    name each is in another group."""
    packed = [file for file in files if is_zip(file.getvalue())]
    loose = [file for file in files if file not in packed]
    while loose:
        named = {file.name: file for file in loose}
        yield named
        loose = [file for file in loose if file is not named[file.name]]
    for file in packed:
        yield {file.name: file}


def _read(groups: list[Group], slot: str) -> tuple[list[tuple[Group, Outcome]], TableLayout | None]:
    """What was read of each group, and the layout of tables if there are any; a sentence and nothing if the server
    cannot read now."""
    layout = None
    try:
        found = _in_time(groups)
        if any(outcome.is_table for _, outcome in found):
            layout = _layout(slot)
            found = _in_time(groups, layout)
    except ECGError as error:
        st.error(str(error))
        return [], None
    return found, layout


def _in_time(groups: list[Group], layout: TableLayout | None = None) -> list[tuple[Group, Outcome]]:
    """What was read of each group, as long as it goes fast: each has a reading process and its time to itself, and
    sixty that take all of it would keep others waiting for minutes."""
    begun, found = time.monotonic(), list[tuple[Group, Outcome]]()
    for group in groups:
        late = found and time.monotonic() - begun > PATIENCE
        outcomes = [Outcome("", False, "", refusal=LATE)] if late else _outcomes(group, layout)
        found += [(group, outcome) for outcome in outcomes]
    return found


def _outcomes(group: Group, layout: TableLayout | None = None) -> list[Outcome]:
    """What was read of the files, or why not; kept either way, so that no rerun of the page reads them again."""
    files = {name: file.getvalue() for name, file in group.items()}
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode(errors="replace"))
        digest.update(content)
    return remember(("upload", digest.hexdigest(), str(layout)), partial(read_upload, files, layout))


def _ids(group: Group, outcome: Outcome) -> frozenset[str]:
    """Of the files that a record was read from: of those it names, or of all (a zip)."""
    return frozenset(group[name].file_id for name in outcome.files or group)


def _may_lack_a_part(group: Group, ids: frozenset[str]) -> bool:
    return any(name.lower().endswith(WFDB_PARTS) for name, file in group.items() if file.file_id in ids)


def _open(ecg: ECG, key: str, name: str) -> Opened:
    return Opened(key, AnalyzedECG(ecg), name)


def _layout(slot: str) -> TableLayout:
    """What a table of numbers does not say, asked once for all that were uploaded."""
    html.text(
        "A table of numbers seldom states how it was recorded. These settings apply to every table that does not."
    )
    columns = st.columns(3)
    rate = columns[0].number_input("Sampling rate (Hz)", 50.0, 2000.0, 500.0, key=f"layout_rate{slot}")
    unit = columns[1].selectbox("Unit", list(UNITS), key=f"layout_unit{slot}")
    scale = UNITS[unit]
    if scale is None:
        scale = columns[2].number_input("ADC units in 1 mV", 0.001, 1e6, 200.0, key=f"layout_gain{slot}")
    leads = st.text_input(
        "Lead of each column, in order",
        ", ".join(LEADS),
        key=f"layout_leads{slot}",
        help="Columns with other names (such as time) are ignored. A CSV's own header takes precedence.",
    )
    return TableLayout(float(rate), float(scale), tuple(leads.replace(",", " ").split()))


def _preview(name: str, ecg: ECG) -> None:
    """What was understood of a table, so that a wrong rate or unit is seen."""
    finite = ecg.signal[:, np.isfinite(ecg.signal).all(axis=0)]
    span = float(np.median(np.ptp(finite, axis=1))) if finite.size else float("nan")
    html.text(
        f"{name} was read as 12 leads of {ecg.samples:,} samples, {ecg.seconds:.1f} s at {ecg.rate:g} Hz; "
        + (f"a lead spans {span:.2g} mV (median)." if np.isfinite(span) else "it holds no numbers.")
    )
    if np.isfinite(span) and span > 0 and not USUAL_SPAN[0] <= span <= USUAL_SPAN[1]:
        st.warning("This is not a plausible range for an ECG lead. Is the unit right?")
