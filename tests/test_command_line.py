"""The command line against a stand-in for the model: what it prints, and what it does with bad input."""

from __future__ import annotations

import json
import signal
from io import BytesIO, TextIOWrapper
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pypdf import PdfReader

from ecgkt.__main__ import main
from ecgkt.model import model as models
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.bundle import BundleError
from ecgkt.prediction import Attribution, Head, Label, Prediction, Score

REAL = get_testdata_file("waveform_ecg.dcm", download=False)


def label(head: Head, code: str, threshold: float, lab: str = "") -> Label:
    return Label(
        head, code, f"Name of {code}", "", 0.1, threshold, "", None, 0, "simulated", lab, "high" if lab else "",
        "mmol/L" if lab else "",
    )  # fmt: skip


class StandIn:
    """Says the same of every usable tracing; relevance lies in lead V2 alone."""

    name, sha256 = "stand-in", "ab" * 32
    card = SimpleNamespace(created="2026-11-01")
    labels = (label("findings", "AFIB", 0.4), label("diagnoses", "I50", 0.9))
    lab = label("labs", "potassium_high", 0.3, "potassium")

    def label(self, code: str) -> Label:
        found = [known for known in (*self.labels, self.lab) if known.code == code]
        if not found:
            raise KeyError(f"This model has no label {code!r}.")
        return found[0]

    def predict(self, ecg: AnalyzedECG) -> Prediction:
        quality = ecg.quality
        if not quality.ok:
            return Prediction(quality)
        scores = [(Score(known, 0.5),) for known in (*self.labels, self.lab)]
        return Prediction(quality, scores[0], {"NORM": 0.7}, scores[1], scores[2], np.zeros(4, np.float32))

    def attribute(self, ecg: AnalyzedECG, code: str, method: str = "integrated_gradients") -> Attribution:
        relevance = np.zeros((12, 1000), np.float32)
        relevance[7] = -1
        return Attribution(self.label(code), method, 100.0, relevance)


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "load", lambda path=None: StandIn())


def test_json_has_exactly_the_promised_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", REAL, REAL, "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    result = json.loads(lines[0])
    assert [*result] == [
        "file", "model", "quality", "abstained", "interpretation", "findings", "superclasses", "diagnoses", "labs",
        "milliseconds",
    ]  # fmt: skip
    assert result["file"] == REAL
    assert result["model"] == {"name": "stand-in", "sha256": "ab" * 32}
    assert result["quality"] == {"ok": True, "reasons": [], "warnings": []}
    assert result["abstained"] is False
    named = {"code": "AFIB", "name": "Name of AFIB", "probability": 0.5, "threshold": 0.4, "positive": True}
    named["verdict"] = None  # the stand-in promises nothing
    assert result["findings"][0] | named == result["findings"][0]
    assert result["diagnoses"][0]["positive"] is False
    lab = {"lab": "potassium", "direction": "high", "unit": "mmol/L", "probability": 0.5, "threshold": 0.3}
    assert result["labs"][0] | lab | {"positive": True, "verdict": None} == result["labs"][0]
    assert result["superclasses"] == {"NORM": 0.7}
    assert set(result["milliseconds"]) == {"read", "predict"}


def test_explain_and_the_report_say_the_same_of_an_ecg(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", REAL, "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)
    assert main(["report", REAL, "--out", str(tmp_path / "out.json")]) == 0
    reported = json.loads((tmp_path / "out.json").read_text())
    for key in ("quality", "abstained", "superclasses", "findings", "diagnoses", "labs"):
        assert explained[key] == reported[key], key
    assert explained["labs"][0].keys() - explained["findings"][0].keys() == {"lab", "direction", "unit", "limit"}


def test_attribution_is_shared_out_over_leads_and_waves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", REAL, "--json", "--attribution", "potassium_high"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["attribution"]["leads"]["V2"] == 1
    assert sum(result["attribution"]["waves"].values()) == pytest.approx(1, abs=0.15)
    assert "contribut" in result["attribution"]["sentence"]
    assert result["attribution"]["sentence"].endswith("in V2.")
    assert result["attribution"]["regions"][0].endswith("lowers the score")
    assert set(result["milliseconds"]) == {"read", "predict", "attribute"}


def test_bad_input_is_one_line_and_the_rest_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.hea"
    bad.write_text("bad 12 500 5000\n")
    assert main(["explain", str(bad), REAL, str(tmp_path / "none.dcm"), "--json"]) == 2
    out, err = capsys.readouterr()
    assert [json.loads(line)["file"] for line in out.splitlines()] == [REAL]
    first, second = err.splitlines()
    assert first.startswith(f"{bad}: ")
    assert "signals" in first
    assert "none.dcm: There is no such file" in second


def test_a_name_cannot_tell_the_terminal_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "a\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}.xml"
    (tmp_path / name).write_text("<letter/>")
    assert main(["explain", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "a\\x1b[2J\\u202e.xml" in said
    assert said.rstrip("\n").isprintable()


def test_an_unusable_tracing_is_abstained_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leads = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    lines = ["flat 12 500 5000", *(f"flat.dat 16 200/mV 16 0 0 0 0 {lead}" for lead in leads)]
    (tmp_path / "flat.hea").write_text("\n".join(lines))
    (tmp_path / "flat.dat").write_bytes(bytes(2 * 12 * 5000))
    assert main(["explain", str(tmp_path / "flat.dat"), "--json", "--attribution", "AFIB"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["abstained"]
    assert not result["quality"]["ok"]
    assert result["quality"]["reasons"]
    assert (result["findings"], result["superclasses"], result["labs"]) == ([], {}, [])
    assert "attribution" not in result
    assert main(["explain", str(tmp_path / "flat.hea")]) == 0
    assert "No result" in capsys.readouterr().out


def test_the_table_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", REAL, "--attribution", "AFIB"]) == 0
    out = capsys.readouterr().out
    assert "Research use only" in out
    assert "not measured" in out
    assert "Name of AFIB (AFIB)" in out


def test_an_unknown_label_and_a_broken_bundle_are_said_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", REAL, "--attribution", "NOPE"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err == "This model has no label 'NOPE'.\n"

    def broken(path: str | None = None) -> None:
        raise BundleError("This folder holds no bundle.")

    monkeypatch.setattr(models, "load", broken)
    assert main(["explain", REAL, "--model", "nowhere"]) == 2
    assert capsys.readouterr().err == "This folder holds no bundle.\n"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["pdf", "png", "json"])
def test_a_report_tells_nothing_of_the_file_it_came_from(suffix: str, tmp_path: Path) -> None:
    named = tmp_path / "Doe_Jane_4711.dcm"
    named.write_bytes(Path(REAL).read_bytes())
    out = tmp_path / f"out.{suffix}"
    assert main(["report", str(named), "--out", str(out), "--target", "potassium_high", "--layout", "6x2"]) == 0
    written = out.read_bytes()
    if suffix == "pdf":
        reader = PdfReader(BytesIO(written))
        text = " ".join(page.extract_text() for page in reader.pages)
        assert "What contributes to the score: Name of potassium_high" in text
        assert "·   simulated patient" not in text
        written += text.encode() + str(reader.metadata).encode()
    if suffix == "json":
        data = json.loads(written)
        assert data["attribution"]["code"] == "potassium_high"
        assert data["paper"]["layout"] == "6x2"
    for told in (b"Doe", b"Jane", b"4711", str(tmp_path).encode(), b"/Author"):
        assert told not in written


def test_a_report_of_a_simulated_patient_says_so(tmp_path: Path) -> None:
    (tmp_path / "SIMULATED.md").write_text("Nobody.")
    record = tmp_path / "files" / "one.dcm"
    record.parent.mkdir()
    record.write_bytes(Path(REAL).read_bytes())
    assert main(["report", str(record), "--out", str(tmp_path / "out.json")]) == 0
    data = json.loads((tmp_path / "out.json").read_text())
    assert data["patient"]["simulated"]
    assert data["attribution"]["code"] == "potassium_high"  # the most urgent of the positive, where none is named


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--target", "NOPE"], "This model has no label 'NOPE'."),
        (["--start", "60"], "no sheet begins at 60 s"),
        (["--out", "{folder}/none/out.pdf"], "No such file"),
    ],
)
def test_a_report_that_cannot_be_made_is_one_line(
    more: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [each.format(folder=tmp_path) for each in more]
    assert main(["report", REAL, "--out", str(tmp_path / "out.json"), *more]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("more", [["--out", "report.docx"], ["--start", "-1"], ["--gain", "7"]])
def test_a_report_asked_for_wrongly_shows_the_usage(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["report", REAL, "--out", "report.pdf", *more])
    assert stopped.value.code == 2
    assert more[0] in capsys.readouterr().err


def test_a_full_disk_leaves_no_report_and_the_old_one_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The system ends a file at 2,000 bytes, as a full disk does somewhere."""
    resource = pytest.importorskip("resource")
    new, old = tmp_path / "new.pdf", tmp_path / "old.pdf"
    old.write_bytes(b"the report of before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        codes = [main(["report", REAL, "--out", str(out)]) for out in (new, old)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert codes == [2, 2]
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 2
    assert all("The report cannot be written (" in line for line in said)
    assert [file.name for file in tmp_path.iterdir()] == ["old.pdf"]
    assert old.read_bytes() == b"the report of before"


def test_what_a_shell_found_in_a_folder_cannot_tell_the_terminal_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments in (["report", "a", "b\x1b[2J", "--out", "a.pdf"], ["explain", "--watch", "n\x1b[2J", "--out", "o"]):
        with pytest.raises(SystemExit):
            main(arguments)
        said = capsys.readouterr().err
        assert "\\x1b[2J" in said
        assert said.replace("\n", "").isprintable()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_an_answer_that_cannot_be_written_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert main(["explain", REAL]) == 2
    assert capsys.readouterr().err == "The answer cannot be written (No space left on device).\n"


def test_a_terminal_that_knows_few_letters_is_spelled_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = tmp_path / "Müller.dcm"
    named.write_bytes(Path(REAL).read_bytes())
    out = BytesIO()
    monkeypatch.setattr("sys.stdout", TextIOWrapper(out, encoding="ascii"))
    assert main(["explain", str(named)]) == 0
    assert b"M\\xfcller.dcm" in out.getvalue()


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_report_that_is_ended_leaves_nothing(
    asked: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    interrupt = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # where tests run in the background it is ignored

    def ended(path: Path, target: Path) -> None:
        assert path.read_bytes()
        signal.raise_signal(asked)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", ended)
        assert main(["report", REAL, "--out", str(tmp_path / "out.json")]) == 130
    assert capsys.readouterr().err == "Ended early.\n"
    assert list(tmp_path.iterdir()) == []
    signal.signal(signal.SIGINT, interrupt)
    assert signal.getsignal(signal.SIGTERM) == handler
