"""A small cohort in MIMIC's layout, its preparation held against pandas and against what was written into it."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from ecgkt.datasets.mimic import clinical as mimic_clinical
from ecgkt.datasets.mimic.clinical import near, nearest
from ecgkt.datasets.mimic.tables import add_view, add_views, connect, find_table
from ecgkt.ecg import ECGError
from tests.training.cohort.test_signals import write_record
from training.cohort.mimic.prepare import NEEDED, prepare_mimic
from training.cohort.prepared import Prepared, load_prepared

PATIENTS = 12
START = pd.Timestamp("2180-03-01 08:00:00")
T = pd.Timedelta


def write_cohort(top: Path) -> None:
    """Every patient: an emergency stay that led to an admission with two ECGs; one ECG a year later, outside any stay.

    Patient n has study ids 100 n, 100 n + 1 (1 h later), 100 n + 2 (outside).
    """
    tables: dict[str, list[dict[str, object]]] = {}

    def add(name: str, **row: object) -> None:
        tables.setdefault(name, []).append(row)

    ecg, hosp, ed = top / "mimic-iv-ecg", top / "mimic-iv" / "hosp", top / "mimic-iv-ed" / "ed"
    for item, label, fluid in (
        (50971, "Potassium", "Blood"),
        (50983, "Sodium", "Urine"),
        (77777, "Sodium", "Blood"),
        (51003, "Something else", "Blood"),
    ):
        add("hosp/d_labitems", itemid=item, label=label, fluid=fluid, category="Chemistry")
    for n in range(1, PATIENTS + 1):
        even = n % 2 == 0
        add("hosp/patients", subject_id=n, gender="F" if even else "M", anchor_age=50 + n, anchor_year=2178)
        add(
            "hosp/admissions",
            subject_id=n,
            hadm_id=1000 + n,
            admittime=START + T("4h"),
            dischtime=START + T("5d"),
        )
        add(
            "ed/edstays",
            subject_id=n,
            hadm_id=1000 + n,
            stay_id=5000 + n,
            intime=START,
            outtime=START + T("5h"),
        )
        times = [START + T("30min"), START + T("90min"), START + T("400d")]
        for k, time in enumerate(times):
            study, path = 100 * n + k, f"files/p{n}/s{k}/{100 * n + k}"
            write_record((ecg / path).parent, str(study), seed=study)
            add("record_list", subject_id=n, study_id=study, file_name=study, ecg_time=time, path=path)
            report = ["Sinus rhythm", "Atrial fibrillation"][even]
            extra = "Possible inferior infarct" if n == 1 else "Inferior infarct" if n == 2 else None
            add("machine_measurements", subject_id=n, study_id=study, ecg_time=time, report_0=report, report_1=extra)
        version, code = (9, "42731") if n % 4 == 0 else (10, "I4891") if even else (10, "I10")
        add("hosp/diagnoses_icd", subject_id=n, hadm_id=1000 + n, seq_num=1, icd_code=code, icd_version=version)
        add(
            "ed/diagnosis",
            subject_id=n,
            stay_id=5000 + n,
            seq_num=1,
            icd_code="I5022" if n % 3 else "I5032",
            icd_version=10,
        )
        # Fahrenheit, Celsius, and a lost decimal point: all of them 38 degrees.
        temperature = [100.4, 38, 1004][n % 3]
        vitals = {"heartrate": 80, "resprate": 16, "o2sat": 98, "sbp": 120, "dbp": 9000}
        add("ed/triage", subject_id=n, stay_id=5000 + n, temperature=temperature, **vitals)
        add(
            "ed/vitalsign",
            subject_id=n,
            stay_id=5000 + n,
            charttime=START + T("35min"),
            **{**vitals, "heartrate": 90, "temperature": None},
        )
        add("hosp/omr", subject_id=n, chartdate="2180-02-20", seq_num=1, result_name="Weight (Lbs)", result_value="200")
        add(
            "hosp/omr",
            subject_id=n,
            chartdate="2180-02-20",
            seq_num=2,
            result_name="Height (Inches)",
            result_value="70",
        )
        add("hosp/omr", subject_id=n, chartdate="2179-02-20", seq_num=1, result_name="BMI (kg/m2)", result_value="28")
        add(
            "hosp/omr",
            subject_id=n,
            chartdate="2180-02-21",
            seq_num=1,
            result_name="Blood Pressure",
            result_value="120/80",
        )
    rng = np.random.default_rng(3)
    for event in range(600):
        item = int(rng.choice([50971, 50983, 77777, 51003]))
        value = float(rng.normal(4.2, 0.9)) if item == 50971 else float(rng.normal(139, 4))
        # Whole minutes, so that ties are frequent, and both sides of the window's edge.
        time = START + T(minutes=int(rng.integers(-60, 180) // 15 * 15))
        add(
            "hosp/labevents",
            labevent_id=600 - event,
            subject_id=int(rng.integers(1, PATIENTS + 1)),
            hadm_id=None,
            itemid=item,
            charttime=time,
            valuenum=[value, 400.0][event % 50 == 0],
            ref_range_lower=3.5 if item == 50971 else None,
            ref_range_upper=5.0 if item == 50971 else None,
        )
    for folder in (hosp, ed, ecg):
        folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        place = {"hosp": hosp, "ed": ed}.get(name.split("/")[0], ecg) / f"{name.split('/')[-1]}.csv.gz"
        pd.DataFrame(rows).to_csv(place, index=False)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("mimic")
    write_cohort(top)
    return top


@pytest.fixture(scope="module")
def settings(source: Path) -> Path:
    """One positive is enough; splits by a CSV of folds, so that each has patients with and without AF."""
    folds = source / "folds.csv"
    rows = [(n, 0 if n <= 6 else 18 if n <= 9 else 19) for n in range(1, PATIENTS + 1)]
    pd.DataFrame(rows, columns=["subject_id", "fold"]).to_csv(folds, index=False)
    one = {"train": 1, "validation": 1, "test": 1}
    config = {
        "folds": {"file": str(folds), "id": "subject_id", "fold": "fold", "validation": [18], "test": [19]},
        "min_positives": {
            "findings": {**one, "validation": 0, "test": 0},
            "diagnoses": one,
            "labs": {**one, "validation": 0, "test": 0},
        },
        "signals": {"workers": 1},
    }
    file = source / "own.yaml"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.fixture(scope="module")
def cohort(source: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare_mimic(source, tmp_path_factory.mktemp("prepared") / "small", settings)


def test_cohort_and_splits(cohort: Prepared) -> None:
    assert cohort.info["excluded"] == {"no stay at the time of the ECG": PATIENTS}
    assert len(cohort) == 2 * PATIENTS
    assert cohort.signals.shape == (2 * PATIENTS, 12, 1000)
    assert cohort.info["splits"] == {
        "extra": {"patients": 6, "ecgs": 6},
        "test": {"patients": 3, "ecgs": 3},
        "train": {"patients": 6, "ecgs": 12},
        "validation": {"patients": 3, "ecgs": 3},
    }
    used = cohort.ecgs[cohort.ecgs["split"] != "extra"]
    assert used.groupby("patient")["split"].nunique().max() == 1
    assert set(cohort.ecgs.loc[cohort.ecgs["split"] == "extra", "ecg_id"]) == {str(100 * n + 1) for n in range(7, 13)}
    assert cohort.ecgs["patient"].str.startswith("mimic:").all()
    assert cohort.ecgs["stay"].nunique() == PATIENTS, "the emergency stay and its admission are one stay"
    assert not cohort.info["simulated"]


def test_rows_hold_the_ecgs_they_name(cohort: Prepared) -> None:
    # Lead aVL is a sine of 6 Hz in every record, aVF of 5 Hz: the file's own order would exchange them.
    spectrum = np.abs(np.fft.rfft(cohort.signals.astype(float), axis=2))
    assert (spectrum.argmax(2) == 10 * np.array([1, 2, 3, 4, 6, 5, 7, 8, 9, 10, 11, 12])).all()
    assert len({signal.tobytes() for signal in cohort.signals}) == len(cohort)


def test_nearest_labs_against_pandas(cohort: Prepared, source: Path) -> None:
    events = pd.read_csv(source / "mimic-iv/hosp/labevents.csv.gz", parse_dates=["charttime"])
    potassium = events[(events["itemid"] == 50971) & events["valuenum"].between(1.5, 10)]
    sodium = events[(events["itemid"] == 77777) & events["valuenum"].between(95, 185)]
    ties = 0
    for row, ecg in cohort.ecgs.iterrows():
        subject, second = divmod(int(ecg["ecg_id"]), 100)
        time = START + T(minutes=30 + 60 * second)
        for lab, all_events in (("lab:potassium", potassium), ("lab:sodium", sodium)):
            near = all_events[all_events["subject_id"] == subject].copy()
            near["dt"] = (near["charttime"] - time).abs()
            near = near[near["dt"] <= T("60min")].sort_values(["dt", "charttime", "labevent_id"])
            expected = near["valuenum"].iloc[0] if len(near) else np.nan
            np.testing.assert_allclose(cohort.clinical.loc[row, lab], expected, rtol=1e-6)
            ties += len(near) > 1 and near["dt"].iloc[0] == near["dt"].iloc[1]
    assert ties > 5, "the fixture must hold ties"
    assert cohort.clinical["lab:potassium"].notna().sum() > len(cohort) / 2


def test_tie_order() -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE ecg AS SELECT 0 AS row, 1 AS subject_id, TIMESTAMP '2180-01-01 12:00:00' AS ecg_time")
    rows = [("12:10", 1, 1.0), ("11:50", 9, 2.0), ("11:50", 8, 3.0), ("11:49", 0, 4.0), ("13:00", 0, 5.0)]
    values = ", ".join(f"(1, TIMESTAMP '2180-01-01 {at}:00', {tie}, 'k', {value})" for at, tie, value in rows)
    query = f"""SELECT *, NULL AS low, NULL AS high, '' AS note
                FROM (VALUES {values}) AS v(subject_id, moment, tie, item, value)"""
    assert con.execute(nearest(near(query, 3600))).fetchall()[0][:4] == (0, "k", -600.0, 3.0)
    late = f"SELECT * FROM ({query}) WHERE value = 5"
    assert len(con.execute(near(late, 3600)).fetchall()) == 1, "the edge belongs to the window"
    assert con.execute(near(late, 3599)).fetchall() == []


def test_units_are_checked_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    con = duckdb.connect()
    con.execute("""CREATE TABLE ecg AS SELECT i AS row, i AS subject_id, TIMESTAMP '2180-01-01 12:00:00' AS ecg_time
                   FROM range(7) t(i)""")
    con.execute("""CREATE TABLE labevents AS SELECT *, 0 AS labevent_id, 50931 AS itemid FROM (VALUES
        (0, TIMESTAMP '2180-01-01 12:05:00', 90.0, 'mg/dL', 70.0, 105.0),
        (1, TIMESTAMP '2180-01-01 12:05:00', 5.0, 'mmol/L', 3.9, 5.8),
        (2, TIMESTAMP '2180-01-01 12:05:00', 90.0, 'cups', 70.0, 105.0),
        (2, TIMESTAMP '2180-01-01 12:30:00', 91.0, NULL, NULL, NULL),
        (3, TIMESTAMP '2180-01-01 12:05:00', 5.0, 'mg/dl', 70.0, 105.0),
        (5, TIMESTAMP '2180-01-01 16:00:00', 90.0, 'cups', 70.0, 105.0)
        ) v(subject_id, charttime, valuenum, valueuom, ref_range_lower, ref_range_upper)""")
    expected = [(0, 90.0, 70.0), (1, 90.08, 70.26), (2, 91.0, None)]
    for size in (50_000, 2):  # all ECGs at once, and two at a time
        monkeypatch.setattr(mimic_clinical, "SLICE", size)
        mimic_clinical.add_nearest_labs(con, {"glucose": 50931})
        found = con.execute("SELECT row, round(value, 2), round(low, 2) FROM nearest_lab ORDER BY row").fetchall()
        assert found == expected
    counts = con.execute("SELECT note, factor, measurements, implausible FROM measured_lab ORDER BY note").fetchall()
    assert counts == [("", 1.0, 1, 0), ("cups", None, 1, 0), ("mg/dL", 1.0, 1, 0), ("mg/dl", 1.0, 1, 1),
                      ("mmol/L", 18.016, 1, 0)]  # fmt: skip


def test_d_labitems_decides(cohort: Prepared) -> None:
    # 50983 is in urine here, 77777 is sodium in blood; 51003 is not troponin.
    assert cohort.clinical["lab:troponin_t"].isna().all()
    assert "troponin_t" in (cohort.folder / "data_card.md").read_text()


def test_lab_labels_by_the_data_s_own_range(cohort: Prepared) -> None:
    limits = {label["code"]: label["limit"] for label in cohort.info["labels"]["labs"]}
    assert limits["potassium_low"] == 3.5
    assert limits["potassium_high"] == 5.0
    assert limits.get("sodium_low", 133) == 133, "without a range in the data the vocabulary's holds"
    value, label = cohort.clinical["lab:potassium"], cohort.labs["potassium_high"]
    assert (label.isna() == value.isna()).all()
    assert (label[value.notna()] == (value[value.notna()] > 5)).all()


def test_vitals_and_biometrics(cohort: Prepared) -> None:
    first = cohort.ecgs["ecg_id"].astype(int) % 100 == 0
    np.testing.assert_allclose(cohort.clinical.loc[first, "vital:temperature"], 38, atol=1e-4)
    assert (cohort.clinical.loc[first, "vital:heartrate"] == 90).all(), "5 min after the ECG beats 30 min before"
    assert cohort.clinical.loc[~first, "vital:heartrate"].isna().all(), "55 min is outside the window"
    assert cohort.clinical["vital:dbp"].isna().all(), "9000 mmHg is an error"
    np.testing.assert_allclose(cohort.clinical["biometric:weight"], 90.718474, rtol=1e-6)
    np.testing.assert_allclose(cohort.clinical["biometric:height"], 177.8, rtol=1e-6)
    assert cohort.clinical["biometric:bmi"].isna().all(), "a year ago is outside the window"
    subject = cohort.ecgs["ecg_id"].astype(int) // 100
    np.testing.assert_array_equal(cohort.clinical["biometric:age"], 52 + subject)
    np.testing.assert_array_equal(cohort.clinical["biometric:sex"], subject % 2)
    assert (cohort.ecgs["sex"] == np.where(subject % 2, "male", "female")).all()


def test_diagnoses(cohort: Prepared) -> None:
    subject = cohort.ecgs["ecg_id"].astype(int) // 100
    # I48.91 by ICD-10 or ICD-9; I48 has the same positives and goes, and I50 is everybody's, so no split has negatives.
    assert set(cohort.diagnoses) == {"I10", "I4891", "I5022", "I5032"}
    np.testing.assert_array_equal(cohort.diagnoses["I4891"], subject % 2 == 0)
    np.testing.assert_array_equal(cohort.diagnoses["I5032"], subject % 3 == 0)
    names = {label["code"]: label for label in cohort.info["labels"]["diagnoses"]}
    assert names["I10"] == {
        "code": "I10",
        "name": "Essential (primary) hypertension",
        "group": "Hypertensive diseases",
    }


def test_findings(cohort: Prepared) -> None:
    subject = cohort.ecgs["ecg_id"].astype(int) // 100
    np.testing.assert_array_equal(cohort.findings["AFIB"], subject % 2 == 0)
    infarct = np.select([subject == 1, subject == 2], [np.nan, 1.0], 0.0)
    np.testing.assert_array_equal(cohort.findings["IMI"], infarct)
    np.testing.assert_array_equal(cohort.findings["MI"], infarct)
    assert "AFLT" not in cohort.findings


def test_the_card_states_the_prevalence(cohort: Prepared) -> None:
    card = (cohort.folder / "data_card.md").read_text()
    # 6 training patients with two ECGs each, patient 1 unknown, patient 2 positive: 2 of 10.
    assert "| IMI | Inferior myocardial infarction | MI | 20.0% | 2 / 10 |" in card
    assert f"{3 * PATIENTS} ECGs listed" in card
    assert cohort.info["fingerprint"] in card


def test_the_card_counts_every_step(cohort: Prepared) -> None:
    card = (cohort.folder / "data_card.md").read_text()
    nodes = [line.strip() for line in card.split("```mermaid")[1].split("```")[0].splitlines()]
    assert f'step1["{3 * PATIENTS} ECGs of known patients, with a time, {PATIENTS} patients"]' in nodes
    assert f'step2["{2 * PATIENTS} ECGs in a stay, {PATIENTS} patients"]' in nodes
    assert f'step1 --> out2x0["{PATIENTS} left out: no stay at the time of the ECG"]' in nodes
    assert (cohort.folder / "excluded.csv").read_text().splitlines() == [
        "reason,records",
        f"no stay at the time of the ECG,{PATIENTS}",
    ]
    # 400 mmol/L of potassium, 9000 mmHg, and temperatures in Fahrenheit.
    assert "| vital:dbp | none stated | " in card
    assert "| vital:temperature | Fahrenheit | " in card


def test_the_same_from_physionets_zip(source: Path, settings: Path, cohort: Prepared, tmp_path: Path) -> None:
    top = tmp_path / "source"
    top.mkdir()
    for name in ("mimic-iv", "mimic-iv-ed"):
        (top / name).symlink_to(source / name)
    ecg, inside = source / "mimic-iv-ecg", "mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0"
    file = top / "mimic-iv-ecg-1.0.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as content:
        for path in sorted((ecg / "files").rglob("*.*")):
            content.write(path, f"{inside}/{path.relative_to(ecg)}")
        for name in ("record_list", "machine_measurements"):
            content.writestr(f"{inside}/{name}.csv", gzip.decompress((ecg / f"{name}.csv.gz").read_bytes()))
    other = prepare_mimic(top, tmp_path / "out", settings)
    assert other.info["fingerprint"] == cohort.info["fingerprint"]
    assert not (tmp_path / "out" / "work").exists()
    shutil.copy(file, top / "mimic-iv-ecg-again.zip")
    with pytest.raises(ValueError, match="Several zips"):
        prepare_mimic(top, tmp_path / "out", settings)


def test_again_and_in_other_formats_the_same(source: Path, settings: Path, cohort: Prepared, tmp_path: Path) -> None:
    again = tmp_path / "again"
    for name in ("mimic-iv", "mimic-iv-ed"):
        shutil.copytree(source / name, again / name)
    (again / "mimic-iv-ecg").mkdir()
    for file in (source / "mimic-iv-ecg").glob("*.csv.gz"):
        # Another order of rows and another format must not matter.
        pd.read_csv(file).iloc[::-1].to_csv(again / "mimic-iv-ecg" / file.name.removesuffix(".gz"), index=False)
    (again / "mimic-iv-ecg" / "files").symlink_to(source / "mimic-iv-ecg" / "files")
    labs = again / "mimic-iv" / "hosp" / "labevents.csv.gz"
    pd.read_csv(labs, parse_dates=["charttime"]).to_parquet(labs.with_name("labevents.parquet"))
    labs.unlink()
    other = prepare_mimic(again, tmp_path / "out", settings)
    assert other.info["fingerprint"] == cohort.info["fingerprint"]
    assert prepare_mimic(source, tmp_path / "out", settings).info["fingerprint"] == cohort.info["fingerprint"]


def test_missing_tables_and_columns_are_named(source: Path, tmp_path: Path) -> None:
    con = connect()
    with pytest.raises(ECGError, match="No table record_list"):
        add_views(con, source / "mimic-iv", NEEDED)
    with pytest.raises(ECGError, match="No table patients, admissions, d_labitems, labevents, diagnoses_icd"):
        add_views(con, source / "mimic-iv-ecg", NEEDED)
    (tmp_path / "hosp").mkdir()
    file = tmp_path / "hosp" / "patients.csv"
    file.write_text("subject_id,gender,anchor_year\n1,F,2180\n")
    with pytest.raises(ECGError, match=r"patients lacks the column anchor_age \(patients\.csv\)"):
        add_view(con, tmp_path, "patients")
    file.rename(file.with_suffix(".parquet"))
    with pytest.raises(ECGError, match=r"patients cannot be read \(patients\.parquet\)"):
        add_view(con, tmp_path, "patients")


def test_records_are_not_walked_but_physionets_files_are(tmp_path: Path) -> None:
    for name in ("files/mimic-iv-ecg/1.0/record_list.csv", "files/mimic-iv-ecg/1.0/files/hosp/patients.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("subject_id\n")
    assert find_table(tmp_path, "record_list") == tmp_path / "files/mimic-iv-ecg/1.0/record_list.csv"
    assert find_table(tmp_path / "files/mimic-iv-ecg/1.0", "patients", "hosp") is None


def test_parts_that_disagree_are_refused(cohort: Prepared, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(cohort.folder, broken)
    cohort.labs.iloc[:-1].to_parquet(broken / "labs.parquet")
    with pytest.raises(ValueError, match="differ in length"):
        load_prepared(broken)
    (broken / "prepared.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"prepared\.json"):
        load_prepared(broken)
    info = json.loads((cohort.folder / "prepared.json").read_text())
    assert info["leads"][4:6] == ["aVL", "aVF"]
