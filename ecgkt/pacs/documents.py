"""A report (`ecgkt.report.data`) as what a PACS keeps beside its ECG: encapsulated PDF and structured report.

Both are new series of the ECG's study, PRELIMINARY or UNVERIFIED, and say that they are for research use. Patient and
study are copied from the ECG, so that a server files them with it.

Concepts of the structured report: measurements as ISO/IEEE 11073-10101 (MDC), LOINC and UCUM code them; scores, which
no code system has, by their label in a private scheme, 99ECGKT.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pydicom
from highdicom import SOPClass, sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr.coding import CodedConcept
from pydicom.sr.coding import Code
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian, generate_uid

import ecgkt
from ecgkt.prediction import HEADS, TITLES
from ecgkt.prediction_json import ScoreJSON
from ecgkt.readers import dicom_elements
from ecgkt.report import document, words
from ecgkt.report.data import MeasurementData, ReportData

SCHEME = "99ECGKT"
UTF_8 = "ISO_IR 192"
MAX_MEANING = 64  # characters of a code's meaning (LO)
TITLE = Code("11524-6", "LN", "EKG study")
# Measurement -> its concept. The rest has none that means the same, and is coded privately.
CONCEPTS = {
    "rate": Code("8867-4", "LN", "Heart rate"),
    "pr": Code("2:15872", "MDC", "PR interval global"),
    "qrs": Code("2:16156", "MDC", "QRS duration global"),
    "qt": Code("2:16160", "MDC", "QT interval global"),
    "p_axis": Code("2:16128", "MDC", "P Axis"),
    "qrs_axis": Code("2:16132", "MDC", "QRS axis"),
    "t_axis": Code("2:16136", "MDC", "T axis"),
}
UNITS = {
    "/min": Code("/min", "UCUM", "per minute"),
    "ms": Code("ms", "UCUM", "millisecond"),
    "mV": Code("mV", "UCUM", "millivolt"),
    "\N{DEGREE SIGN}": Code("deg", "UCUM", "degree"),
}
NO_UNIT = Code("1", "UCUM", "no units")
# What every patient and study has, though a file may lack it (type 2: empty where not known).
NEEDED = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
    "StudyTime", "ReferringPhysicianName",
)  # fmt: skip


def source(file: bytes) -> pydicom.Dataset:
    """The ECG's header, with text decoded, and an empty value for what it lacks of patient and study.

    Raises ECGError for one that is overlong, and whatever pydicom does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they quote elements
        dataset = pydicom.dcmread(BytesIO(dicom_elements.header(file)))
        dataset.decode()
    for name in NEEDED:
        if name not in dataset:
            setattr(dataset, name, "")
    return dataset


def encapsulated_pdf(data: ReportData, ecg: pydicom.Dataset) -> pydicom.Dataset:
    """The printed report of `ecg` (PS3.3 A.45.1)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # highdicom quotes a patient's name that it finds odd
        made = SOPClass(
            sop_class_uid=EncapsulatedPDFStorage, modality="DOC", transfer_syntax_uid=ExplicitVRLittleEndian,
            study_instance_uid=ecg.StudyInstanceUID, patient_id=ecg.PatientID, patient_name=ecg.PatientName,
            patient_birth_date=ecg.PatientBirthDate, patient_sex=ecg.PatientSex, accession_number=ecg.AccessionNumber,
            study_id=ecg.StudyID, study_date=ecg.StudyDate, study_time=ecg.StudyTime,
            referring_physician_name=ecg.ReferringPhysicianName, **_own(data),
        )  # fmt: skip
        made.copy_patient_and_study_information(ecg)
    _add_versions(made, data)
    pdf = document.pdf(data)
    made.SeriesDescription = made.DocumentTitle = f"{document.TITLE}, research use only"
    made.AcquisitionDateTime = ecg.get("AcquisitionDateTime", "")
    made.ConversionType = "WSD"  # workstation
    made.BurnedInAnnotation = "YES" if data["patient"]["given"] else "NO"
    made.VerificationFlag = "UNVERIFIED"
    made.ConceptNameCodeSequence = [CodedConcept.from_code(TITLE)]
    made.SourceInstanceSequence = [_reference(ecg)]
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.EncapsulatedDocumentLength = len(pdf)
    made.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return made


def structured_report(data: ReportData, ecg: pydicom.Dataset) -> pydicom.Dataset:
    """Measurements and scores of `ecg` as an Enhanced SR (PS3.3 A.35.2), with who and what said so.

    The ECG is its evidence. No content item points at it: highdicom reads none of type WAVEFORM, and so could not read
    this report.
    """
    scheme = CodingSchemeIdentificationItem(
        SCHEME, name="ecgkt's labels", version=ecgkt.__version__, responsible_organization="ecgkt"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = sr.EnhancedSR(
            evidence=[ecg], content=_content(data), is_complete=True, is_final=False, coding_schemes=[scheme],
            **_own(data),
        )  # fmt: skip
    _add_versions(made, data)
    made.SeriesDescription = "12-lead ECG scores, research use only"
    return made


def _own(data: ReportData) -> dict[str, Any]:
    """What makes it an object of its own, and who made it."""
    return {
        "series_instance_uid": generate_uid(None),
        "sop_instance_uid": generate_uid(None),
        "series_number": 1,
        "instance_number": 1,
        "manufacturer": "ecgkt",
        "manufacturer_model_name": data["model"]["name"],
        "specific_character_set": UTF_8,
    }


def _add_versions(made: pydicom.Dataset, data: ReportData) -> None:
    """That of ecgkt, and the hash of the weights."""
    made.SoftwareVersions = [ecgkt.__version__, data["model"]["sha256"]]


def _content(data: ReportData) -> pydicom.Dataset:
    model = data["model"]
    device = uuid5(NAMESPACE_URL, model["sha256"]).int  # the same for the same weights
    root = sr.ContainerContentItem(TITLE, is_content_continuous=False)
    items = sr.ContentSequence()
    items += sr.LanguageOfContentItemAndDescendants(CodedConcept("en-US", "RFC5646", "English (United States)"))
    items += sr.ObserverContext(
        CodedConcept("121007", "DCM", "Device"),
        sr.DeviceObserverIdentifyingAttributes(f"2.25.{device}", "ecgkt", "ecgkt", model["name"]),
    )
    items += sr.AlgorithmIdentification(model["name"], ecgkt.__version__, [f"SHA-256 of the weights {model['sha256']}"])
    notes = [data["notice"], words.remark(data), "Simulated patient." if data["patient"]["simulated"] else ""]
    items += [_text(Code("121106", "DCM", "Comment"), note) for note in notes if note]
    rows = [
        _measurement(key, row) for key, row in data["intervals"]["measurements"].items() if row["value"] is not None
    ]
    if rows:
        items.append(_container(Code("122158", "DCM", "ECG Global Measurements"), rows))
    for head in HEADS:
        scores = [_score(score) for score in data[head]]
        if scores:
            title, about = TITLES[head]
            items.append(_container(_own_code(head, f"{title}: {about}"), scores))
    root.ContentSequence = items
    return root


def _measurement(key: str, row: MeasurementData) -> sr.NumContentItem:
    concept = CONCEPTS.get(key) or _own_code(key, row["name"])
    assert row["value"] is not None
    return sr.NumContentItem(concept, row["value"], UNITS.get(row["unit"], NO_UNIT), relationship_type="CONTAINS")


def _score(score: ScoreJSON) -> sr.NumContentItem:
    """The calibrated probability, with the threshold and what it was learned from."""
    item = sr.NumContentItem(
        _own_code(score["code"], score["name"]), round(score["probability"], 6), NO_UNIT, relationship_type="CONTAINS"
    )
    threshold = sr.NumContentItem(
        _own_code("threshold", "Threshold of the probability"), score["threshold"], NO_UNIT,
        relationship_type="HAS PROPERTIES",
    )  # fmt: skip
    told = f"Probability of {score['name']}, predicted from the ECG; learned from {score['learned_from']} patients"
    if score["auroc"]:
        value, low, high = score["auroc"]
        told += f"; AUROC {value:.2f} (95% interval {low:.2f} to {high:.2f}) on {score['measured_on']} test ECGs"
    basis = _text(_own_code("basis", "What the score is and rests on"), f"{told}.", "HAS PROPERTIES")
    item.ContentSequence = sr.ContentSequence([threshold, basis])
    return item


def _container(concept: Code, items: list[sr.NumContentItem]) -> sr.ContainerContentItem:
    made = sr.ContainerContentItem(concept, is_content_continuous=False, relationship_type="CONTAINS")
    made.ContentSequence = sr.ContentSequence(items)
    return made


def _text(concept: Code, said: str, relationship: str = "CONTAINS") -> sr.TextContentItem:
    return sr.TextContentItem(concept, said, relationship)


def _own_code(value: str, meaning: str) -> Code:
    cut = meaning if len(meaning) <= MAX_MEANING else f"{meaning[: MAX_MEANING - 3]}..."
    return Code(value, SCHEME, cut)


def _reference(ecg: pydicom.Dataset) -> pydicom.Dataset:
    made = pydicom.Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = ecg.SOPClassUID, ecg.SOPInstanceUID
    return made
