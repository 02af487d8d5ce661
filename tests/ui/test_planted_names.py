"""A name, a number and a file name planted in every format are nowhere: not on the page or in what is sent to it, not
in logs, reports or temporary files, and not in what stays in memory after reading."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pypdf import PdfReader

from benchmarks.browser_session import Server, Tab
from benchmarks.load import own_tracing
from tests.readers.written_files import BY_FORMAT, NAME, counts

ROOT = Path(__file__).resolve().parents[2]
NUMBER = "4711081542"  # a patient's, also in the files' names
FILE = f"{NAME}_{NUMBER}"


def wfdb() -> dict[str, bytes]:
    (name, header), (_, signal) = own_tracing(3).items()
    lines = header.decode().replace(name.removesuffix(".hea"), FILE)
    return {f"{FILE}.hea": f"{lines}# Name: {NAME} ID: {NUMBER}\n".encode(), f"{FILE}.dat": signal}


def dicom() -> bytes:
    data = pydicom.dcmread(str(get_testdata_file("waveform_ecg.dcm", download=False)))
    data.PatientName, data.PatientID, data.PatientComments = f"{NAME}^Erika", NUMBER, f"{NAME} {NUMBER}"
    stream = io.BytesIO()
    data.save_as(stream)
    return stream.getvalue()


def planted() -> dict[str, dict[str, bytes]]:
    """What is uploaded, by format: a record whose files hold the name wherever the format has a place for it."""
    table = counts(5000)
    found = {name: {f"{FILE}.{k}": write(table)} for k, (name, write) in enumerate(BY_FORMAT.items())}
    found |= {"WFDB": wfdb(), "DICOM": {f"{FILE}.dcm": dicom()}}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, content in wfdb().items():
            packed.writestr(name, content)
    return found | {"zip": {f"{FILE}.zip": stream.getvalue()}, "nothing": {f"{FILE}.txt": f"{NAME} {NUMBER}".encode()}}


def told(content: bytes) -> bool:
    """Is the name or the number in it, in one of the encodings that files, frames and logs have?"""
    return any(
        word.encode(code) in content
        for word in (NAME, NUMBER, NAME.upper())
        for code in ("utf-8", "utf-16-le", "utf-16-be")
    )


def test_the_plants_are_there_to_be_found() -> None:
    for form, files in planted().items():
        assert all(NAME in name and NUMBER in name for name in files)
        if form not in ("NumPy", "CSV", "zip"):  # two hold numbers only, one is packed
            assert any(told(content) for content in files.values()), form


@pytest.mark.slow
def test_nothing_planted_leaves_the_server(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    left: list[str] = []

    async def visit(server: Server, form: str, files: dict[str, bytes]) -> None:
        tab = Tab(server.address)
        tab.keep_frames = True
        await tab.open("upload")
        await tab.upload("upload", files)
        frames = list(tab.frames)
        assert not tab.errors, form
        if form != "nothing":
            assert "sheet" in tab.charts, form
            for kind in ("report_pdf", "report_png", "report_json") if form in ("GE MUSE XML", "DICOM") else ():
                report = await tab.fetch(kind)
                assert len(report) > 1000
                frames.append(report)
                if kind == "report_pdf":
                    reader = PdfReader(io.BytesIO(report))
                    frames += [page.extract_text().encode() for page in reader.pages]
                    frames.append(json.dumps({str(k): str(v) for k, v in (reader.metadata or {}).items()}).encode())
        if any(told(frame) for frame in frames):
            left.append(form)
        await tab.again()
        await tab.close()

    with (tmp_path / "log").open("wb") as log, Server(ROOT, log, TMPDIR=str(temporary)) as server:
        for form, files in planted().items():
            asyncio.run(visit(server, form, files))
            assert not [file for file in temporary.rglob("*") if file.is_file() and told(file.read_bytes())]
    assert left == []
    assert not told((tmp_path / "log").read_bytes())
    assert not [file for file in temporary.rglob("*") if NAME in file.name]


WALK = """
import gc, json, sys
from pathlib import Path
import numpy as np
import ecgkt
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.readers import TableLayout
from ecgkt.ecg import LEADS
folder, backwards = Path(sys.argv[1]), json.loads(sys.argv[2])
def opened():
    layout = TableLayout(500.0, 1.0, LEADS)
    for form in sorted(folder.iterdir()):
        try:
            ecg = AnalyzedECG(ecgkt.read({f"{n}": file.read_bytes() for n, file in enumerate(sorted(form.iterdir()))}
                              if len(list(form.iterdir())) == 1 else
                              {file.name: file.read_bytes() for file in form.iterdir()}, layout))
            ecg.intervals, ecg.quality
            yield form.name, ecg
        except ecgkt.ECGError as error:
            yield form.name, str(error)
kept = dict(opened())
gc.collect()
sys.argv.clear()
words = [word[::-1] for word in backwards]
needles = [word.encode(code) for word in words for code in ("utf-8", "utf-16-le")]
def holds(thing):
    if isinstance(thing, str):
        return thing not in words and any(word in thing for word in words)
    if isinstance(thing, np.ndarray):
        return thing.dtype.kind in "SU" and any(word in str(thing) for word in words)
    return thing not in needles and any(needle in bytes(thing) for needle in needles)
seen, found, waiting = set(), [], gc.get_objects()
while waiting:
    thing = waiting.pop()
    if id(thing) in seen or thing is waiting:
        continue
    seen.add(id(thing))
    if isinstance(thing, (str, bytes, bytearray, np.ndarray)):
        if holds(thing):
            found.append(repr(thing)[:60][::-1])
    else:
        waiting.extend(gc.get_referents(thing))
print(json.dumps({"read": sum(not isinstance(each, str) for each in kept.values()), "seen": len(seen), "found": found}))
"""


@pytest.mark.slow
def test_no_name_stays_in_memory_after_reading(tmp_path: Path) -> None:
    """All that can be reached in a process that has read every format and holds on to what was read."""
    forms = planted()
    for form, files in forms.items():
        (tmp_path / form).mkdir()
        for name, content in files.items():
            (tmp_path / form / name).write_bytes(content)
    words = json.dumps([NAME[::-1], NUMBER[::-1]])
    command = [sys.executable, "-c", WALK, str(tmp_path), words]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    said = json.loads(ran.stdout)
    assert said["read"] == len(forms) - 1  # all but the note
    assert said["seen"] > 50_000
    assert said["found"] == []
