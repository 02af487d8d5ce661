"""Words and codes -> labels: findings from reports, ICD hierarchy and mapping, limits, splits."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import simple_icd_10_cm as icd10cm

from ecgkt import vocabulary
from ecgkt.datasets.mimic.reports import read_line, unread
from ecgkt.datasets.mimic.units import factors, same_spelling
from training.cohort.config import load_config
from training.cohort.labels import icd
from training.cohort.labels.findings import findings_table, with_superclasses
from training.cohort.labels.labs import enough, lab_labels
from training.cohort.splits import (
    assign_splits,
    first_of_stay,
    patient_facts,
    read_known,
    splits_from_folds,
    stable_splits,
)


def test_vocabulary_is_ptbxl_s(shared: Path) -> None:
    with (shared / "ptbxl" / "scp_statements.csv").open(newline="", encoding="utf-8") as file:
        official = {row["accurate_diagnostic"]: row for row in csv.DictReader(file)}
    # The first column of this copy's header carries the wrong name; its values are the codes.
    ours = {code: f for code, f in vocabulary.findings().items() if f.kind != "superclass"}
    assert set(ours) == set(official)
    assert set(vocabulary.findings()) - set(ours) == {"MI", "STTC", "CD", "HYP"}
    for code, row in official.items():
        kind = ours[code].kind.capitalize()
        assert ours[code].superclass == (row["diagnostic_class"] or kind)
        assert row[ours[code].kind] == "1.0"
        assert read_line(row["description"]) == {code: 1.0}


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("Sinus rhythm with 1st degree A-V block", {"SR", "1AVB"}),
        ("RBBB with left anterior fascicular block", {"CRBBB", "LAFB"}),
        ("Incomplete right bundle branch block", {"IRBBB"}),
        ("Inferior infarct - age undetermined", {"IMI"}),
        ("Atrial fibrillation with rapid ventricular response", {"AFIB"}),
        ("Sinus rhythm with PAC(s)", {"SR", "PAC"}),
        ("Prolonged Q-T interval", {"LNGQT"}),
        ("Left ventricular hypertrophy by voltage", {"VCLVH"}),
        ("Abnormal ECG", set()),
    ],
)
def test_machine_phrases(line: str, codes: set[str]) -> None:
    assert read_line(line) == dict.fromkeys(codes, 1.0)


@pytest.mark.parametrize(
    ("line", "open_codes", "sure"),
    [
        ("Possible inferior infarct - age undetermined", {"IMI"}, set()),
        ("Cannot rule out anterior infarct", {"AMI"}, set()),
        ("Sinus rhythm, no ST elevation", {"STE_"}, {"SR"}),
        ("Anterior infarct cannot be excluded", {"AMI"}, set()),
        ("Left axis deviation, consider left ventricular hypertrophy", {"LVH"}, set()),
        ("Otherwise normal ECG", {"NORM"}, set()),
        ("Atrial fibrillation, possible lateral infarct", {"LMI"}, {"AFIB"}),
    ],
)
def test_doubt_and_negation_leave_unknown(line: str, open_codes: set[str], sure: set[str]) -> None:
    found = read_line(line)
    assert {code for code, value in found.items() if np.isnan(value)} == open_codes
    assert {code for code, value in found.items() if value == 1} == sure


@pytest.mark.parametrize(
    ("lab", "units"),
    [
        ("potassium", ["mEq/L", "mmol/L", "MEQ/L", " mmol / l ", ""]),
        ("platelets", ["K/uL", "K/mcL", "10^3/uL", "x10(3)/\N{MICRO SIGN}L", "10*9/L", "k/\N{GREEK SMALL LETTER MU}l"]),
        ("rbc", ["m/uL", "10^6/uL", "10^12/L"]),
        ("alt", ["IU/L", "U/L", "u/l"]),
        ("troponin_t", ["ng/mL", "ug/L", "mcg/L"]),
        ("pt", ["sec", "s", "seconds", "sec."]),
        ("pco2", ["mm Hg", "mmHg"]),
        ("tsh", ["uIU/mL", "mIU/L", "uU/mL"]),
        ("inr", ["", "ratio"]),
    ],
)
def test_spellings_of_the_same_unit(lab: str, units: list[str]) -> None:
    assert {factors()[lab, same_spelling(unit)] for unit in units} == {1.0}


@pytest.mark.parametrize(
    # Round pairs from everyday tables (100 mg/dL of glucose is 5.55 mmol/L), which owe nothing to units.csv.
    ("lab", "unit", "value", "expected"),
    [
        ("glucose", "mmol/L", 5.55, 100),
        ("creatinine", "umol/L", 88.4, 1),
        ("urea_nitrogen", "mmol/L", 3.57, 10),
        ("calcium", "mmol/L", 2.5, 10),
        ("magnesium", "mEq/L", 2, 2.43),
        ("phosphate", "mmol/L", 1, 3.1),
        ("bilirubin", "umol/L", 17.1, 1),
        ("lactate", "mg/dL", 9, 1),
        ("haemoglobin", "g/L", 150, 15),
        ("crp", "mg/dL", 1, 10),
    ],
)
def test_other_units_are_converted(lab: str, unit: str, value: float, expected: float) -> None:
    assert value * factors()[lab, same_spelling(unit)] == pytest.approx(expected, rel=0.01)


def test_a_unit_that_means_something_else_is_unknown() -> None:
    for lab, unit in (("potassium", "mg/dL"), ("glucose", "%"), ("wbc", "#/uL"), ("haemoglobin", "fL")):
        assert (lab, same_spelling(unit)) not in factors()


def test_unread_reports() -> None:
    assert unread("--- Warning: Data quality may affect interpretation ---")
    assert unread("All 12 leads are missing")
    assert not unread("Sinus rhythm")


def test_unknown_is_not_absent() -> None:
    said = pd.DataFrame({"row": [0, 1, 2, 2], "code": ["IMI", "IMI", "IMI", "IMI"], "value": [1, np.nan, np.nan, 1]})
    table = findings_table(5, said, known=np.array([True, True, True, True, False]))
    np.testing.assert_array_equal(table["IMI"], [1, np.nan, 1, 0, np.nan])
    assert list(table) == ["IMI"], "a statement that the reports never make is unknown, so it has no column"


def test_superclasses() -> None:
    nan = np.nan
    findings = pd.DataFrame({"IMI": [0, 1, 0, nan], "AMI": [0, nan, nan, nan], "SR": [1, 1, 1, 1]}, dtype="float32")
    table = with_superclasses(findings)
    np.testing.assert_array_equal(table["MI"], [0, 1, nan, nan])
    assert "CD" not in table


def test_icd_ancestors() -> None:
    assert icd.cut_with_ancestors("I5022") == ["I5022", "I502", "I50"]
    assert icd.cut_with_ancestors("E1122") == ["E1122", "E112", "E11"]
    assert icd.cut_with_ancestors("S72001A") == ["S7200", "S720", "S72"]
    assert icd.cut_with_ancestors("W19XXXA") == ["W19"], "placeholders carry no meaning"
    assert icd.cut_with_ancestors("I10") == ["I10"]
    assert icd.cut_with_ancestors("QQQQQ") == []


@pytest.mark.parametrize(
    # From the General Equivalence Mappings of 2018 published by CMS (2018_I9gem.txt).
    ("nine", "ten"),
    [("42731", "I4891"), ("4280", "I509"), ("41401", "I2510"), ("25000", "E119"), ("5849", "N179"), ("0389", "A419")],
)
def test_icd9_is_mapped(nine: str, ten: str) -> None:
    assert icd.to_icd10(nine, 9) == ten


def test_icd_dots_blanks_and_nonsense() -> None:
    assert icd.to_icd10(" i50.22 ", 10) == "I5022"
    assert icd.to_icd10("99999X", 9) is None
    assert icd.to_icd10("", 10) is None


def test_icd_names_and_groups() -> None:
    assert icd.describe("I50") == {"code": "I50", "name": "Heart failure", "group": "Other heart disease"}


def test_groups_are_short() -> None:
    headings = [icd10cm.get_description(code) for code in icd10cm.get_all_codes() if "-" in code]
    groups = {icd.short_group(heading) for heading in headings}
    assert max(map(len, groups)) <= 40
    assert len(groups) == len({heading.rsplit(" (", 1)[0] for heading in headings}), "no two blocks share a name"
    assert icd.describe("Z95")["group"] == "Personal history and devices"
    assert icd.short_group("Ischemic heart diseases (I20-I25)") == "Ischemic heart disease"
    assert icd.short_group("Something else") == "Something else"


def test_redundant_ancestors() -> None:
    assert icd.redundant({"I50": 9, "I502": 9, "I5022": 5, "I10": 9}) == {"I50"}
    assert icd.redundant({"I48": 7, "I481": 3, "I482": 4}) == set()


def test_lab_labels_are_masked_where_not_measured() -> None:
    clinical = pd.DataFrame({f"lab:{lab}": [np.nan] * 4 for lab in vocabulary.labs()}, dtype="float32")
    clinical["lab:potassium"] = np.array([3.2, 3.3, 5.2, np.nan], dtype="float32")
    labels, described = lab_labels(clinical, {lab: row.reference for lab, row in vocabulary.labs().items()})
    np.testing.assert_array_equal(labels["potassium_low"], [1, 0, 0, np.nan])
    np.testing.assert_array_equal(labels["potassium_high"], [0, 0, 1, np.nan])
    assert labels.drop(columns=["potassium_low", "potassium_high"]).isna().all().all()
    first = next(d for d in described if d["code"] == "potassium_high")
    assert (first["name"], first["limit"], first["unit"]) == ("Hyperkalemia", 5.1, "mmol/L")


def test_enough_asks_for_positives_and_negatives_in_each_split() -> None:
    split = pd.Series(["train"] * 4 + ["test"] * 4 + ["extra"] * 2)
    table = pd.DataFrame(
        {
            "both": [1, 1, 0, 0, 1, 1, 0, 0, 0, 0],
            "none_in_test": [1, 1, 0, 0, 0, 0, 0, 0, 1, 1],
            "all_known_positive": [1, 1, np.nan, np.nan, 1, 1, 0, 0, 0, 0],
        }
    )
    assert enough(table, split, {"train": 2, "validation": 2, "test": 2}) == ["both"]
    assert enough(table, split, {"train": 0.5, "test": 0.25}) == ["both"]


def people(count: int, seed: int = 0) -> pd.DataFrame:
    """ECGs (one row each) of `count` patients with facts that hang together, as they do in a hospital."""
    rng = np.random.default_rng(seed)
    age = rng.normal(62, 17, count).clip(18, 95)
    ecgs = pd.DataFrame(
        {"subject_id": np.arange(count) + 10_000_000, "age": age, "gender": rng.choice(["F", "M"], count)}
    )
    return ecgs.loc[np.repeat(ecgs.index, rng.geometric(0.45, count))].reset_index(drop=True)


def groups_of(ecgs: pd.DataFrame) -> pd.DataFrame:
    """Twenty diagnosis groups, the older the patient the more; half of the patients have I10."""
    rng = np.random.default_rng(1)
    found = []
    for k, label in enumerate(["I10", *(f"J{k:02d}" for k in range(19))]):
        has = rng.random(len(ecgs)) < ecgs["age"] / 130 / (1 + k / 3)
        found.append(pd.DataFrame({"subject_id": ecgs.loc[has, "subject_id"], "label": label}))
    return pd.concat(found).drop_duplicates()


def test_splits_are_balanced_in_every_fact() -> None:
    config, ecgs = load_config(), people(4000)
    facts = patient_facts(ecgs, groups_of(ecgs), config)
    assert facts.shape == (4000, 4 + 12)
    split = assign_splits(facts, {}, config["splits"], "ecgkt")
    for fact in facts:
        for _, part in split.groupby(facts[fact]):
            counts = part.value_counts()
            for name in ("train", "validation", "test"):
                # By chance alone one standard deviation of test would be 12 patients of a thousand.
                assert abs(counts.get(name, 0) - config["splits"][name] * len(part)) < 5, (fact, name)


def test_a_patient_keeps_its_split_when_more_data_come(tmp_path: Path) -> None:
    config, ecgs = load_config(), people(600)
    groups, early = groups_of(ecgs), ecgs["subject_id"] < 10_000_300
    first = stable_splits(ecgs[early], groups, tmp_path, config)
    # The first 300 have more ECGs and other diagnoses by then, and come in another order.
    later = pd.concat([ecgs, ecgs[early]]).sample(frac=1, random_state=1).reset_index(drop=True)
    second = stable_splits(later, groups.sample(frac=0.5, random_state=2), tmp_path, config)
    of_first = dict(zip(ecgs.loc[early, "subject_id"], first, strict=True))
    of_second = dict(zip(later["subject_id"], second, strict=True))
    assert len(of_second) == 600
    assert {patient: of_second[patient] for patient in of_first} == of_first
    shares = pd.Series(of_second).value_counts(normalize=True)
    assert shares["test"] == pytest.approx(0.18, abs=0.01)
    # Patients who are not in the data for once are not forgotten.
    third = stable_splits(ecgs[~early].reset_index(drop=True), groups, tmp_path, config)
    assert dict(zip(ecgs.loc[~early, "subject_id"], third, strict=True)).items() <= of_second.items()
    assert read_known([tmp_path / "splits.csv"]) == {str(patient): split for patient, split in of_second.items()}


def test_splits_of_an_earlier_preparation(tmp_path: Path) -> None:
    config, ecgs = load_config(), people(40)
    known = tmp_path / "known.csv"
    known.write_text("subject_id,split\n" + "".join(f"{10_000_000 + i},test\n" for i in range(30)))
    config["splits"]["known"] = str(known)
    split = stable_splits(ecgs, groups_of(ecgs), tmp_path, config)
    assert (split[ecgs["subject_id"] < 10_000_030] == "test").all()
    assert (split[ecgs["subject_id"] >= 10_000_030] != "test").all(), "test has more than its share already"
    known.write_text("subject_id,split\n10000000,train\n10000001,test\n")
    with pytest.raises(ValueError, match="second or an unknown split"):
        stable_splits(ecgs, groups_of(ecgs), tmp_path, config)


def test_first_ecg_of_a_stay() -> None:
    split = pd.Series(["test", "test", "train", "train", "validation", "validation"])
    stay = pd.Series(["a", "a", "b", "b", None, None])
    kept = first_of_stay(split, stay, pd.Series([2, 1, 1, 2, 1, 2]))
    assert kept.tolist() == ["extra", "test", "train", "train", "validation", "validation"]


def test_a_users_folds(tmp_path: Path) -> None:
    ecgs = pd.DataFrame({"subject_id": [1, 1, 2, 3], "study_id": [10, 11, 20, 30]})
    file = tmp_path / "folds.csv"
    folds = {"file": str(file), "id": "study_id", "fold": "fold", "validation": [18], "test": [19]}
    file.write_text("study_id,fold\n10,18\n11,18\n20,19\n")
    split = splits_from_folds(ecgs, {"folds": folds})
    assert split[:3].tolist() == ["validation", "validation", "test"]
    assert pd.isna(split[3])
    file.write_text("study_id,fold\n10,18\n11,0\n20,19\n30,1\n")
    with pytest.raises(ValueError, match="1 patients into two splits"):
        splits_from_folds(ecgs, {"folds": folds})
    file.write_text("study_id,other\n")
    with pytest.raises(ValueError, match="lacks the column fold"):
        splits_from_folds(ecgs, {"folds": folds})


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("windows: {labs_minutes: 30}\n")
    assert load_config(file)["windows"] == {"labs_minutes": 30, "vitals_minutes": 30, "biometrics_days": 30}
    file.write_text("windows: {lab_minutes: 30}\n")
    with pytest.raises(ValueError, match=r"windows\.lab_minutes"):
        load_config(file)
