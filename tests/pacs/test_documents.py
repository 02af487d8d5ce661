"""Encapsulated PDF and structured report: whole, coded, told to be for research, and valid by programs not our own."""

from __future__ import annotations

import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pypdf import PdfReader

pytest.importorskip("highdicom", reason="the extra ecgkt[pacs] is not installed")

from highdicom.sr import EnhancedSR
from highdicom.sr.utils import find_content_items

import ecgkt
from ecgkt.ecg import ECG
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.model import Model
from ecgkt.pacs import documents
from ecgkt.prediction import HEADS
from ecgkt.report import content
from ecgkt.report.data import ReportData

FILE = Path(str(get_testdata_file("waveform_ecg.dcm", download=False)))
NAME = "山田^太郎"  # in no character set that an ECG file usually has


@pytest.fixture(scope="module")
def data(shipped_model: Model) -> ReportData:
    ecg = AnalyzedECG(ecgkt.read(FILE))
    return content.build(ecg, shipped_model.predict(ecg), shipped_model)


@pytest.fixture
def header() -> pydicom.Dataset:
    header = documents.source(FILE.read_bytes())
    header.PatientName = NAME
    return header


def _written(dataset: pydicom.Dataset, folder: Path) -> Path:
    dataset.save_as(folder / "made.dcm", enforce_file_format=True)
    return folder / "made.dcm"


def _items(dataset: pydicom.Dataset, **wanted: Any) -> list[Any]:
    return find_content_items(dataset, recursive=True, **wanted)


def test_every_score_and_measurement_stands_in_the_structured_report(
    data: ReportData, header: pydicom.Dataset, tmp_path: Path
) -> None:
    report = EnhancedSR.from_dataset(pydicom.dcmread(_written(documents.structured_report(data, header), tmp_path)))
    assert report.PatientName == NAME
    numbers = {}
    for item in _items(report, value_type="NUM", relationship_type="CONTAINS"):
        code = item.ConceptNameCodeSequence[0]
        value = item.MeasuredValueSequence[0].NumericValue
        numbers[code.get("CodeValue") or code.LongCodeValue] = float(value)
    for head in HEADS:
        for score in data[head]:
            assert numbers[score["code"]] == pytest.approx(score["probability"], abs=1e-6)
    measured = data["intervals"]["measurements"]
    assert numbers["8867-4"] == pytest.approx(measured["rate"]["value"])
    assert numbers["2:16160"] == pytest.approx(measured["qt"]["value"])
    texts = " ".join(item.TextValue for item in _items(report, value_type="TEXT"))
    assert ecgkt.NOTICE in texts
    assert data["model"]["sha256"] in texts
    assert texts.count("learned from") == sum(len(data[head]) for head in HEADS)
    assert (report.PreliminaryFlag, report.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    (evidence,) = report.CurrentRequestedProcedureEvidenceSequence
    assert (
        evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == header.SOPInstanceUID
    )


def test_the_pdf_is_the_printed_report(data: ReportData, header: pydicom.Dataset, tmp_path: Path) -> None:
    made = pydicom.dcmread(_written(documents.encapsulated_pdf(data, header), tmp_path))
    assert made.PatientName == NAME
    pages = PdfReader(BytesIO(made.EncapsulatedDocument[: made.EncapsulatedDocumentLength])).pages
    assert len(pages) == 3
    assert all(ecgkt.NOTICE in page.extract_text() for page in pages)
    assert "research use" in made.DocumentTitle


@pytest.mark.parametrize("kind", ["encapsulated_pdf", "structured_report"])
@pytest.mark.parametrize("program", ["dciodvfy", "dsrdump"])
def test_other_programs_find_no_error(
    data: ReportData, header: pydicom.Dataset, tmp_path: Path, kind: str, program: str
) -> None:
    if program == "dsrdump" and kind == "encapsulated_pdf":
        pytest.skip("dsrdump reads structured reports only")
    if not shutil.which(program):
        pytest.skip(f"{program} is not on this machine (apt-get install dicom3tools dcmtk)")
    file = _written(getattr(documents, kind)(data, header), tmp_path)
    done = subprocess.run([program, str(file)], capture_output=True, text=True, errors="replace", check=False)
    said = done.stdout + done.stderr
    assert "Error" not in said, said
    assert "EnhancedSR" in said or "Enhanced SR" in said or "EncapsulatedPDF" in said


def test_a_header_that_lacks_patient_and_study_is_filled_with_nothing(data: ReportData) -> None:
    bare = pydicom.dcmread(FILE)
    for name in documents.NEEDED:
        if name in bare:
            delattr(bare, name)
    file = BytesIO()
    bare.save_as(file, enforce_file_format=True)
    header = documents.source(file.getvalue())
    for made in (documents.encapsulated_pdf(data, header), documents.structured_report(data, header)):
        assert (str(made.PatientName), made.PatientID, made.StudyID) == ("", "", "")


def test_an_unusable_ecg_has_reasons_and_no_scores(shipped_model: Model, header: pydicom.Dataset) -> None:
    flat = AnalyzedECG(ECG(0 * ecgkt.read(FILE).signal, 1000.0))
    prediction = shipped_model.predict(flat)
    assert prediction.abstained
    report = documents.structured_report(content.build(flat, prediction, shipped_model), header)
    texts = " ".join(item.TextValue for item in report.ContentSequence if item.ValueType == "TEXT")
    assert prediction.quality.reasons[0] in texts
    containers = [
        item.ConceptNameCodeSequence[0].CodeValue for item in report.ContentSequence if "ContentSequence" in item
    ]
    assert not set(containers) & set(HEADS)
