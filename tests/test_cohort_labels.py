"""Words and codes -> labels: findings from reports, ICD hierarchy and mapping, limits, splits."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import simple_icd_10_cm as icd10cm

from ecgkt import vocabulary
from ecgkt.mimic.reports import read_line, unread
from training.cohort import icd
from training.cohort.config import load_config
from training.cohort.findings import findings_table, with_superclasses
from training.cohort.labels import enough, lab_labels
from training.cohort.splits import first_of_stay, split_of, splits_from_folds


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
    assert icd.short_group("Ischemic heart diseases (I20-I25)") == "Ischaemic heart disease"
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
    assert (first["name"], first["limit"], first["unit"]) == ("Hyperkalaemia", 5.1, "mmol/L")


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


def test_splits_are_stable_and_have_their_shares() -> None:
    config = load_config()
    split = pd.Series([split_of(str(n), config) for n in range(20_000)])
    shares = split.value_counts(normalize=True)
    # Three standard errors of a share among 20,000 patients are at most 0.0097.
    for name in ("train", "validation", "test"):
        assert shares[name] == pytest.approx(config["splits"][name], abs=0.0097)
    # By sha256sum: "ecgkt10000032" lies at 0.619 of the range. A changed rule would move patients between splits.
    assert split_of("10000032", config) == "train"


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
