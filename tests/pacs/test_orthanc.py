"""`ecgkt pacs` against a real PACS: an ECG found, read, explained and answered to, and the answer found again."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pypdf import PdfReader

import ecgkt
from ecgkt.__main__ import main
from ecgkt.model import model as models
from ecgkt.model.model import Model
from ecgkt.pacs import server
from tests.pacs.conftest import PASSWORD, USER, Orthanc

pytestmark = pytest.mark.slow

ECG = Path(str(get_testdata_file("waveform_ecg.dcm", download=False)))
IMAGE = Path(str(get_testdata_file("CT_small.dcm", download=False)))


@pytest.fixture
def pacs(orthanc: Orthanc, monkeypatch: pytest.MonkeyPatch, shipped_model: Model) -> Orthanc:
    """The ECG and a picture, and nothing that an earlier test stored."""
    for study in orthanc.get("studies"):
        orthanc.ask("delete", f"studies/{study}")
    for file in (ECG, IMAGE):
        orthanc.ask("post", "instances", data=file.read_bytes())
    monkeypatch.setenv(server.USER, USER)
    monkeypatch.setenv(server.PASSWORD, PASSWORD)
    monkeypatch.setattr(models, "load", lambda path=None: shipped_model)
    return orthanc


def _said(pacs: Orthanc, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["pacs", *words, "--url", pacs.dicomweb]) == code
    out, err = capsys.readouterr()
    assert (err == "") == (code == 0)
    return out or err


def _of_modality(pacs: Orthanc, modality: str) -> list[pydicom.Dataset]:
    """As Orthanc gives them, past all that was used to store them."""
    found = pacs.ask("post", "tools/find", json={"Level": "Instance", "Query": {"Modality": modality}}).json()
    return [pydicom.dcmread(BytesIO(pacs.ask("get", f"instances/{each}/file").content)) for each in found]


def test_ecgs_are_found_by_patient_and_date_and_nothing_else_is(
    pacs: Orthanc, capsys: pytest.CaptureFixture[str]
) -> None:
    header = pydicom.dcmread(ECG)
    (line,) = _said(pacs, capsys, "list", "--json").splitlines()
    found = json.loads(line)
    assert found["study"] == header.StudyInstanceUID
    assert found["instance"] == header.SOPInstanceUID
    assert (found["patient"], found["date"]) == (header.PatientID, header.StudyDate)
    asked = ("list", "--patient", header.PatientID, "--date", "20130101-20131231")
    assert header.StudyInstanceUID in _said(pacs, capsys, *asked)
    for other in (("--patient", "nobody"), ("--date", "20140101-20141231")):
        assert _said(pacs, capsys, "list", *other) == ""


def test_an_ecg_is_read_as_from_its_file(
    pacs: Orthanc, capsys: pytest.CaptureFixture[str], tmp_path: Path, shipped_model: Model
) -> None:
    study, saved = pydicom.dcmread(ECG).StudyInstanceUID, tmp_path / "saved.dcm"
    said = json.loads(_said(pacs, capsys, "read", study, "--json", "--save", str(saved)))
    expected = shipped_model.predict(ecgkt.read(ECG))
    assert said["findings"][0]["code"] == expected.findings[0].label.code
    assert said["findings"][0]["probability"] == pytest.approx(expected.findings[0].probability)
    assert (ecgkt.read(saved).signal == ecgkt.read(ECG).signal).all()
    assert "cannot be saved" in _said(pacs, capsys, "read", study, "--save", str(saved), code=2)  # it is there


def test_the_report_is_stored_beside_its_ecg_and_comes_back_whole(
    pacs: Orthanc, capsys: pytest.CaptureFixture[str], shipped_model: Model
) -> None:
    header = pydicom.dcmread(ECG)
    _said(pacs, capsys, "store", header.StudyInstanceUID)
    (pdf,), (report,) = _of_modality(pacs, "DOC"), _of_modality(pacs, "SR")
    for each in (pdf, report):
        assert each.StudyInstanceUID == header.StudyInstanceUID
        assert each.SeriesInstanceUID != header.SeriesInstanceUID
        assert (each.PatientID, each.PatientName) == (header.PatientID, header.PatientName)
        assert each.VerificationFlag == "UNVERIFIED"
        assert shipped_model.sha256 in each.SoftwareVersions
    pages = PdfReader(BytesIO(pdf.EncapsulatedDocument)).pages
    assert all(ecgkt.NOTICE in page.extract_text() for page in pages)
    assert pdf.SourceInstanceSequence[0].ReferencedSOPInstanceUID == header.SOPInstanceUID
    assert ecgkt.NOTICE in [item.get("TextValue") for item in report.ContentSequence]
    # And what was stored is not taken for an ECG.
    assert len(_said(pacs, capsys, "list").splitlines()) == 1


def test_one_of_the_two_is_stored_when_only_one_is_asked_for(pacs: Orthanc, capsys: pytest.CaptureFixture[str]) -> None:
    _said(pacs, capsys, "store", pydicom.dcmread(ECG).StudyInstanceUID, "--only", "sr")
    assert (len(_of_modality(pacs, "DOC")), len(_of_modality(pacs, "SR"))) == (0, 1)


def test_of_several_ecgs_in_a_study_one_must_be_named(pacs: Orthanc, capsys: pytest.CaptureFixture[str]) -> None:
    second = pydicom.dcmread(ECG)
    second.SOPInstanceUID = second.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    file = BytesIO()
    second.save_as(file, enforce_file_format=True)
    pacs.ask("post", "instances", data=file.getvalue())
    study = second.StudyInstanceUID
    assert "2 ECGs" in _said(pacs, capsys, "read", study, code=2)
    assert json.loads(_said(pacs, capsys, "read", study, "--instance", "1.2.3.4", "--json"))["findings"]


def _wrong_password(patch: pytest.MonkeyPatch) -> None:
    patch.setenv(server.PASSWORD, "wrong")


@pytest.mark.parametrize(
    ("study", "before", "sentence"),
    [
        (pydicom.dcmread(IMAGE).StudyInstanceUID, None, "The PACS has no ECG in such a study."),
        ("1.2.3", None, "The PACS "),
        ("not-a-uid", None, "no DICOM UID"),
        (pydicom.dcmread(ECG).StudyInstanceUID, _wrong_password, "refuses the credentials"),
    ],
    ids=["a picture's study", "unknown study", "no UID", "wrong password"],
)
def test_what_cannot_be_had_is_one_sentence(
    pacs: Orthanc, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, study: str, before: Any,
    sentence: str,
) -> None:  # fmt: skip
    if before:
        before(monkeypatch)
    said = _said(pacs, capsys, "read", study, code=2)
    assert sentence in said
    assert len(said.splitlines()) == 1
