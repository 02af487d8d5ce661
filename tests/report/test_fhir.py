"""The report as FHIR: valid by the standard's own definitions, whole, preliminary, and silent on whom it is about."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file

pytest.importorskip("fhir.resources", reason="the extra ecgkt[fhir] is not installed")

from fhir.resources.R4B.bundle import Bundle

import ecgkt
from ecgkt.__main__ import main
from ecgkt.ecg import ECG, ECGError
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.model.model import Model
from ecgkt.prediction import HEADS
from ecgkt.report import content, document, fhir
from ecgkt.report.data import ReportData

FILE = Path(str(get_testdata_file("waveform_ecg.dcm", download=False)))


def _data(model: Model, ecg: ECG, **more: Any) -> ReportData:
    analyzed = AnalyzedECG(ecg)
    return content.build(analyzed, model.predict(analyzed), model, **more)


@pytest.fixture(scope="module")
def data(shipped_model: Model) -> ReportData:
    return _data(shipped_model, ecgkt.read(FILE))


def _resources(file: bytes, kind: str) -> dict[str, dict[str, Any]]:
    """fullUrl -> resource of one kind."""
    bundle = json.loads(file)
    Bundle.model_validate(bundle)
    return {e["fullUrl"]: e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind}


def test_every_score_and_measurement_is_an_observation_of_the_report(data: ReportData) -> None:
    file = fhir.as_fhir(data, datetime(2026, 11, 25, 8, 30, tzinfo=UTC))
    (report,) = _resources(file, "DiagnosticReport").values()
    observations = _resources(file, "Observation")
    (device,) = _resources(file, "Device")
    assert [each["reference"] for each in report["result"]] == list(observations)
    assert report["issued"].startswith("2026-11-25T08:30:00")
    assert {each["device"]["reference"] for each in observations.values()} == {device}
    values = {}
    for each in observations.values():
        code = each["code"]["coding"][0]
        values[code["system"], code["code"]] = each.get("valueQuantity", {}).get("value")
    for head in HEADS:
        for score in data[head]:
            assert values[fhir.OWN, score["code"]] == pytest.approx(score["probability"])
    for key, (code, _) in fhir.MEASUREMENTS.items():
        assert values[fhir.LOINC, code] == pytest.approx(data["intervals"]["measurements"][key]["value"])
    expected = sum(len(data[head]) for head in HEADS) + len(data["superclasses"])
    assert len(observations) == expected + len(data["intervals"]["measurements"])


def test_all_is_preliminary_and_for_research(data: ReportData) -> None:
    file = fhir.as_fhir(data)
    for each in [*_resources(file, "Observation").values(), *_resources(file, "DiagnosticReport").values()]:
        assert each["status"] == "preliminary"
        assert ecgkt.NOTICE in [*(note["text"] for note in each.get("note", [])), each.get("conclusion")]
    assert data["model"]["sha256"] in file.decode()


def test_nobody_is_named_unless_given(data: ReportData, shipped_model: Model) -> None:
    assert b'"subject"' not in fhir.as_fhir(data)
    given = fhir.as_fhir(_data(shipped_model, ecgkt.read(FILE), patient="Bed 4"))
    (report,) = _resources(given, "DiagnosticReport").values()
    assert report["subject"] == {"display": "Bed 4"}


def test_codes_of_loinc_have_their_check_digit() -> None:
    """The digit behind the hyphen is that of Luhn's formula (LOINC Users' Guide, "LOINC code structure")."""
    for code in [fhir.STUDY[0], *(code for code, _ in fhir.MEASUREMENTS.values())]:
        number, check = code.split("-")
        doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(number))]
        assert (sum(sum(divmod(each, 10)) for each in doubled) + int(check)) % 10 == 0, code


def test_an_unusable_ecg_gives_reasons_and_no_scores(shipped_model: Model) -> None:
    data = _data(shipped_model, ECG(0 * ecgkt.read(FILE).signal, 1000.0))
    file = fhir.as_fhir(data)
    (report,) = _resources(file, "DiagnosticReport").values()
    assert data["quality"]["reasons"][0] in report["conclusion"]
    observations = _resources(file, "Observation").values()
    assert len(observations) == len(data["intervals"]["measurements"])
    assert all(("valueQuantity" in each) != ("dataAbsentReason" in each) for each in observations)


def test_the_command_writes_it_by_its_suffix(tmp_path: Path) -> None:
    for name, kind in (("a.fhir.json", "Bundle"), ("a.json", None)):
        assert main(["report", str(FILE), "--out", str(tmp_path / name)]) == 0
        assert json.loads((tmp_path / name).read_text()).get("resourceType") == kind


def test_without_the_extra_it_is_one_sentence(data: ReportData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir, "find_spec", lambda name: None)
    with pytest.raises(ECGError, match=r"ecgkt\[fhir\]"):
        document.FORMATS["fhir.json"](data)
