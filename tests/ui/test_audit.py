"""The audit log: off unless named, one line an ECG and model, and nothing in it that tells whose ECG it was."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import numpy as np
import pytest

import ecgkt
from ecgkt.ui import audit
from tests.stand_in import StandIn
from tests.ui.pages import open_page

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT / "assets" / "examples" / "real" / "waveform_ecg.dcm"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(audit.LOG, str(tmp_path / "audit.jsonl"))
    return tmp_path / "audit.jsonl"


@pytest.mark.usefixtures("stand_in")
def test_an_ecg_seen_is_noted_once_with_four_facts(log: Path) -> None:
    app = open_page("browse")
    app.run()
    (line,) = log.read_text().splitlines()
    said = json.loads(line)
    assert [*said] == ["time", "ecg", "model", "outcome"]
    assert said["model"] == StandIn.sha256
    assert said["outcome"] == "scores"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.usefixtures("stand_in")
def test_an_uploads_name_and_header_stay_out(log: Path) -> None:
    app = open_page("upload")
    app.file_uploader[0].upload("Doe-Jane-1971.dcm", REAL.read_bytes(), "application/dicom").run()
    assert not app.exception
    _, text = log.read_text().splitlines()  # the first is of the page that opens
    ecg = ecgkt.read(REAL)
    assert json.loads(text)["ecg"] == audit.fingerprint(ecg)
    for word in ("Doe", "1971", "dcm", "Anonymous", "642341", str(ecg.age), "male"):
        assert word not in text.replace(audit.fingerprint(ecg), "")


def test_the_fingerprint_is_of_what_was_recorded_and_of_nothing_else() -> None:
    ecg = ecgkt.read(REAL)
    plain = hashlib.sha256(b"1000 Hz\n" + np.ascontiguousarray(ecg.signal, "<f4").tobytes()).hexdigest()
    assert ecg.rate == 1000
    assert audit.fingerprint(ecg) == plain
    assert audit.fingerprint(ecgkt.ECG(ecg.signal, ecg.rate)) == plain  # age and sex are not in it
    assert audit.fingerprint(ecgkt.ECG(ecg.signal, 500.0)) != plain


@pytest.mark.usefixtures("stand_in")
def test_nothing_is_shown_where_the_log_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(audit.LOG, str(tmp_path / "no" / "such" / "folder.jsonl"))
    app = open_page("browse")
    assert any("cannot be written" in error.value for error in app.error)
    assert not app.get("plotly_chart")


@pytest.mark.usefixtures("stand_in")
def test_no_log_without_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(audit.LOG, raising=False)
    monkeypatch.chdir(tmp_path)
    open_page("browse")
    assert not [*tmp_path.iterdir()]
