"""Folders browsed in place: MIMIC's layout, PTB-XL's, and loose files; what is near an ECG in time and what is not."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest
import wfdb
from pydicom.data import get_testdata_file

from ecgkt import vocabulary
from ecgkt.datasets.collection import Collection, open_collection
from ecgkt.datasets.mimic import records
from ecgkt.datasets.mimic.reports import statements
from ecgkt.ecg import LEADS, ECGError

MIMIC_ORDER = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
POTASSIUM, SODIUM = 50971, 50983
VITALS = ("temperature", "heartrate", "resprate", "o2sat", "sbp", "dbp")


def record(file: Path, names: Sequence[str] = MIMIC_ORDER, rate: int = 500) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    signal = np.outer(np.sin(np.arange(10 * rate) / 30), np.arange(1, 13) / 10)
    signal[:, 2] = signal[:, 1] - signal[:, 0]
    wfdb.wrsamp(
        file.name, fs=rate, units=["mV"] * 12, sig_name=list(names), p_signal=signal, fmt=["16"] * 12,
        adc_gain=[200.0] * 12, baseline=[0] * 12, write_dir=str(file.parent),
    )  # fmt: skip


def table(file: Path, columns: str, rows: Sequence[Sequence[object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt", newline="") if file.suffix == ".gz" else file.open("w", newline="") as out:
        csv.writer(out).writerows([columns.split(), *rows])


@pytest.fixture
def mimic(tmp_path: Path) -> Path:
    """Two patients; the first has two ECGs, labs and vitals around the first one, and coded stays."""
    top = tmp_path / "cohort"
    ecg, hosp, ed = top / "mimic-iv-ecg", top / "mimic-iv" / "hosp", top / "mimic-iv-ed" / "ed"
    paths = [f"files/p1000/p1000003{i}/s4000000{i}/4000000{i}" for i in (1, 2, 3)]
    for path in paths:
        record(ecg / path)
    table(
        ecg / "record_list.csv",
        "subject_id study_id file_name ecg_time path",
        [
            (10000032, 40000001, 40000001, "2180-05-06 12:00:00", paths[0]),
            (10000032, 40000002, 40000002, "2183-01-01 12:00:00", paths[1]),
            (10000048, 40000003, 40000003, "2150-01-01 12:00:00", paths[2]),
            (10000099, 40000004, 40000004, "2150-01-01 12:00:00", "files/not/downloaded"),
            (10000099, 40000005, 40000005, "2150-01-01 12:00:00", "../../../../../../etc/passwd"),
        ],
    )
    reports = [f"report_{i}" for i in range(18)]
    table(
        ecg / "machine_measurements.csv",
        " ".join(["subject_id", "study_id", *reports]),
        [
            (10000032, 40000001, "Atrial fibrillation", "Possible left bundle branch block", *[""] * 16),
            (10000048, 40000003, "Sinus rhythm", *[""] * 17),
        ],
    )
    table(
        hosp / "patients.csv.gz",
        "subject_id gender anchor_age anchor_year",
        [(10000032, "F", 52, 2180), (10000048, "M", 70, 2150)],
    )
    table(
        hosp / "labevents.csv.gz",
        "labevent_id subject_id itemid charttime valuenum",
        [
            (1, 10000032, POTASSIUM, "2180-05-06 11:01:00", 4.0),  # 59 min, not the nearest
            (2, 10000032, POTASSIUM, "2180-05-06 12:30:00", 6.1),
            (3, 10000032, POTASSIUM, "2180-05-06 12:10:00", 99.0),  # a typing error
            (4, 10000032, SODIUM, "2180-05-06 13:01:00", 140.0),  # 61 min
            (5, 10000048, POTASSIUM, "2180-05-06 12:00:00", 3.0),  # another patient's
            (7, 10000032, 50902, "2180-05-06 12:05:00", 101.0),  # a tie goes to the earlier, then to the smaller id
            (6, 10000032, 50902, "2180-05-06 11:55:00", 99.0),
            (8, 10000032, 50902, "2180-05-06 11:55:00", 98.0),
        ],
    )
    table(
        hosp / "omr.csv.gz",
        "subject_id chartdate seq_num result_name result_value",
        [
            (10000032, "2180-05-01", 1, "Weight (Lbs)", "154.3"),
            (10000032, "2180-05-01", 1, "Height (Inches)", "65"),
            (10000032, "2180-05-01", 1, "Blood Pressure", "120/80"),
            (10000032, "2182-12-30", 1, "BMI (kg/m2)", "25.7"),
        ],
    )
    table(
        hosp / "admissions.csv.gz",
        "subject_id hadm_id admittime dischtime",
        [(10000032, 22, "2180-05-06 15:00:00", "2180-05-09 10:00:00")],
    )
    table(
        hosp / "diagnoses_icd.csv.gz",
        "subject_id hadm_id icd_code icd_version",
        [(10000032, 22, "I5022", 10), (10000032, 22, "4280", 9), (10000048, 33, "E119", 10)],
    )
    table(
        ed / "edstays.csv.gz",
        "subject_id hadm_id stay_id intime outtime",
        [(10000032, 22, 55, "2180-05-06 11:45:00", "2180-05-06 15:00:00")],
    )
    triage = [(10000032, 55, 98.6, 88, 16, 97, 120, 70)]
    table(ed / "triage.csv.gz", " ".join(["subject_id", "stay_id", *VITALS]), triage)
    table(
        ed / "vitalsign.csv.gz",
        " ".join(["subject_id", "stay_id", "charttime", *VITALS]),
        [
            (10000032, 55, "2180-05-06 12:05:00", "", 90, "", "", 400, ""),
            (10000032, 55, "2180-05-06 12:31:00", 37, 10, 10, 10, 10, 10),  # 31 min
        ],
    )
    table(ed / "diagnosis.csv.gz", "subject_id stay_id icd_code icd_version", [(10000032, 55, "R079", 10)])
    return top


def test_mimic_layout_gives_what_is_near_in_time(mimic: Path) -> None:
    collection = open_collection(mimic)
    assert [entry.title for entry in collection.entries] == ["Patient 1", "Patient 1, ECG 2", "Patient 2"]
    first, second, third = collection.entries
    clinical = collection.clinical(first.key)
    assert clinical == pytest.approx(
        {
            "biometric:age": 52, "biometric:sex": 0, "lab:potassium": 6.1, "lab:chloride": 99.0,
            "vital:heartrate": 90, "vital:temperature": 37.0, "vital:resprate": 16, "vital:o2sat": 97,
            "vital:sbp": 120, "vital:dbp": 70, "biometric:weight": 154.3 * 0.45359237, "biometric:height": 165.1,
        }
    )  # fmt: skip
    assert first.measured == ("potassium_high",)
    assert first.findings == ("AFIB",)
    assert first.diagnoses == ("I50", "I502", "I5022", "R07", "R079")
    assert (first.age, first.sex, first.has_table, first.simulated) == (52, "female", True, False)
    assert collection.clinical(second.key) == {"biometric:age": 55, "biometric:sex": 0, "biometric:bmi": 25.7}
    assert (third.sex, third.has_table, third.diagnoses, third.findings) == ("male", False, (), ("SR",))


def test_ecgs_of_one_patient_and_the_hours_between_them(mimic: Path) -> None:
    collection = open_collection(mimic)
    first, second, third = collection.entries
    assert collection.of_same_patient(second.key) == (first, second)
    assert collection.of_same_patient(third.key) == (third,)
    assert (first.hours, third.hours) == (0, 0)
    assert second.hours == (datetime(2183, 1, 1) - datetime(2180, 5, 6)).days * 24


def test_mimic_tracing_has_its_leads_by_name_and_the_patients_age(mimic: Path) -> None:
    collection = open_collection(mimic)
    ecg = collection.read(collection.entries[0].key)
    heights = dict(zip(MIMIC_ORDER, np.arange(1, 13) / 10, strict=True))
    for lead in ("aVL", "aVF", "V6"):
        assert np.ptp(ecg.signal[LEADS.index(lead)]) == pytest.approx(2 * heights[lead], abs=0.02)
    assert (ecg.age, ecg.sex) == (52, "female")


def shown(collection: Collection) -> str:
    return " ".join(f"{entry.key} {entry.title} {entry.source}" for entry in collection.entries)


def test_no_identifier_is_shown(mimic: Path) -> None:
    words = shown(open_collection(mimic))
    assert not any(part in words for part in ("100000", "400000", "s4", "p1"))


def test_a_simulated_cohort_says_so(mimic: Path) -> None:
    (mimic / "SIMULATED.md").write_text("Nobody here exists.")
    shutil.copy(get_testdata_file("waveform_ecg.dcm", download=False), mimic / "real.dcm")
    collection = open_collection(mimic)
    assert [entry.simulated for entry in collection.entries] == [True, True, True, False]
    assert collection.entries[0].title == "Simulated patient 1"
    assert collection.read(collection.entries[3].key).rate == 1000


def test_a_simulated_cohort_below_or_above_the_opened_folder_says_so_too(mimic: Path) -> None:
    """The folder of examples holds a simulated cohort beside a real recording; neither may pass for the other."""
    (mimic / "SIMULATED.md").write_text("Nobody here exists.")
    real = mimic.parent / "real"
    real.mkdir()
    shutil.copy(str(get_testdata_file("waveform_ecg.dcm", download=False)), real)
    entries = open_collection(mimic.parent).entries
    assert [entry.simulated for entry in entries] == [True, True, True, False]
    assert all(entry.simulated for entry in open_collection(mimic / "mimic-iv-ecg").entries)


def test_parquet_and_missing_tables(mimic: Path) -> None:
    hosp = mimic / "mimic-iv" / "hosp"
    before = open_collection(mimic).clinical("mimic-1")
    duckdb.sql(f"COPY (FROM read_csv('{hosp}/labevents.csv.gz')) TO '{hosp}/labevents.parquet'")
    (hosp / "labevents.csv.gz").unlink()
    assert open_collection(mimic).clinical("mimic-1") == before
    shutil.rmtree(mimic / "mimic-iv")
    shutil.rmtree(mimic / "mimic-iv-ed")
    entries = open_collection(mimic).entries
    assert len(entries) == 3
    assert entries[0].findings == ("AFIB",)
    assert not entries[0].has_table


def test_large_labevents_are_not_scanned(mimic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LARGEST_LABEVENTS", 10)
    clinical = open_collection(mimic).clinical("mimic-1")
    assert clinical["vital:heartrate"] == 90
    assert not any(key.startswith("lab:") for key in clinical)


def test_a_missing_column_is_named(mimic: Path) -> None:
    table(mimic / "mimic-iv" / "hosp" / "patients.csv.gz", "subject_id gender anchor_age", [(10000032, "F", 52)])
    with pytest.raises(ECGError, match=r"patients lacks the column anchor_year \(patients\.csv\.gz\)"):
        open_collection(mimic)


def test_ptbxl_layout_prefers_500_hz(tmp_path: Path) -> None:
    record(tmp_path / "records100/00000/00001_lr", LEADS, 100)
    record(tmp_path / "records500/00000/00001_hr", LEADS, 500)
    record(tmp_path / "records100/00000/00002_lr", LEADS, 100)
    names = [(f"records100/00000/0000{i}_lr", f"records500/00000/0000{i}_hr") for i in (1, 2)]
    table(
        tmp_path / "ptbxl_database.csv",
        "ecg_id patient_id age sex height weight recording_date scp_codes filename_lr filename_hr",
        [
            (1, 7.0, 56.0, 1, "", 63.0, "1990-03-02 10:00:00", "{'NORM': 100.0, 'SR': 0.0}", *names[0]),
            (2, 7.0, 300, 0, "", "", "1990-03-01 09:30:00", "{'AFIB': 0.0}", *names[1]),
        ],
    )
    collection = open_collection(tmp_path)
    first, second = collection.entries
    assert (first.age, first.sex, first.findings) == (56, "female", ("NORM", "SR"))
    assert (second.age, second.sex, second.findings) == (90, "male", ("AFIB",))
    assert [collection.read(entry.key).rate for entry in collection.entries] == [500, 100]
    assert collection.clinical(first.key) == {"biometric:age": 56, "biometric:sex": 0, "biometric:weight": 63}
    assert collection.of_same_patient(first.key) == (second, first)
    assert (first.hours, second.hours) == (24.5, 0)


def test_any_folder(tmp_path: Path) -> None:
    record(tmp_path / "a" / "secret_name", LEADS)
    shutil.copy(get_testdata_file("waveform_ecg.dcm", download=False), tmp_path / "Jane_Doe.DCM")
    collection = open_collection(tmp_path)
    assert len(collection.entries) == 2
    assert "secret" not in shown(collection)
    assert "Jane" not in shown(collection)
    assert {collection.read(entry.key).rate for entry in collection.entries} == {500, 1000}
    with pytest.raises(KeyError):
        collection.read("nowhere")


def test_empty_and_absent_folders(tmp_path: Path) -> None:
    with pytest.raises(ECGError, match="no ECG"):
        open_collection(tmp_path)
    with pytest.raises(ECGError, match="no such folder"):
        open_collection(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("Incomplete right bundle branch block", {"IRBBB"}),
        ("Atrial fibrillation with rapid ventricular response", {"AFIB"}),
        ("No atrial fibrillation", set()),
        ("Possible anterior infarct - age undetermined", set()),
        ("", set()),
    ],
)
def test_reports_are_read_for_what_they_state(line: str, codes: set[str]) -> None:
    assert set(statements([line])) == codes


def test_vocabulary_is_complete() -> None:
    assert len({lab.itemid for lab in vocabulary.labs().values()}) == len(vocabulary.labs()) == 36
    for lab in vocabulary.labs().values():
        assert lab.reference_low < lab.reference_high <= lab.plausible_high
        assert lab.plausible_low < lab.reference_high
    assert vocabulary.findings()["AFIB"].superclass == "Rhythm"


def test_real_ptbxl_is_browsed_in_place(shared: Path) -> None:
    collection = open_collection(shared / "ptbxl")
    assert len(collection.entries) == 1625
    assert {entry.source for entry in collection.entries} == {"PTB-XL"}
    assert collection.read(collection.entries[-1].key).samples == 1000
