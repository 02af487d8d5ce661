"""What is wrong with a YAML or a table is said in one sentence that names the key, the column or the row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
import yaml

from tests.training.cohort.signals.written_records import write_record
from training.cohort.own import description
from training.cohort.own.description import read_description
from training.cohort.own.prepare import prepare_table
from training.cohort.prepared import Prepared

ROOT = Path(__file__).resolve().parents[4]
ECGS = 12
YAML = """
ecgs:
  table: ecgs.csv
  folder: files
  columns: {file: file, patient: who, id: ecg, time: when, stay: visit, age: age, sex: sex}
labs:
  - table: labs.csv
    columns: {patient: who, time: taken, name: test, value: result, unit: unit}
    names: {potassium: [K], sodium: [NA]}
vitals:
  table: vitals.csv
  columns: {ecg: ecg}
  values: {heartrate: hr, temperature: {column: temp, unit: F}}
biometrics: {table: vitals.csv, columns: {ecg: ecg}, values: {weight: {column: lb, unit: lb}}}
codes: {table: codes.csv, columns: {patient: who, code: icd}}
labels:
  table: labels.csv
  columns: {ecg: ecg}
  findings: {AFIB: af}
  diagnoses: {MINE: {column: mine, name: Something of our own}}
reports: {table: reports.csv, columns: {ecg: ecg, text: [line]}}
license: ours
"""
Change = Callable[[dict[str, Any], dict[str, pd.DataFrame]], None]


def tables() -> dict[str, pd.DataFrame]:
    """Three ECGs of each of four patients, a visit each; potassium 4 + a tenth of the ECG's number, half an hour on."""
    number = np.arange(ECGS)
    who = [f"p{n // 3}" for n in number]
    when = pd.Timestamp("2024-03-01 08:00") + pd.to_timedelta(number * 7, unit="h")
    late = when + pd.Timedelta("30min")
    potassium = pd.DataFrame({"who": who, "taken": late, "test": "K", "result": 4 + number / 10, "unit": "mmol/L"})
    return {
        "ecgs": pd.DataFrame(
            {"file": [f"{n}.hea" for n in number], "who": who, "ecg": [f"e{n}" for n in number], "when": when,
             "visit": number // 3, "age": 50 + number, "sex": ["F", "M"] * 6}
        ),
        "labs": pd.concat([potassium, potassium.assign(test="XYZ"), potassium.assign(test="NA", unit="furlong")]),
        "vitals": pd.DataFrame({"ecg": [f"e{n}" for n in number], "hr": 60 + number, "temp": 98.6, "lb": 200.0}),
        "codes": pd.DataFrame({"who": who, "icd": ["I50.22", "I10"] * 6}),
        "labels": pd.DataFrame({"ecg": [f"e{n}" for n in number], "af": [1, 0, None] * 4, "mine": [0, 1] * 6}),
        "reports": pd.DataFrame({"ecg": ["e0", "e1"], "line": ["Atrial fibrillation\nSinus tachycardia", "Pacing"]}),
    }  # fmt: skip


def prepared(folder: Path, change: Change = lambda described, tables: None) -> Prepared:
    described, held = yaml.safe_load(YAML), tables()
    change(described, held)
    for name, table in held.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    for n in range(ECGS):
        write_record(folder / "files", str(n), seed=n)
    (folder / "own.yaml").write_text(yaml.safe_dump(described))
    one = {"train": 1, "validation": 0, "test": 0}
    settings = {
        "min_positives": {"findings": one, "diagnoses": one, "labs": one},
        "splits": {"train": 1.0, "validation": 0.0, "test": 0.0},
        "signals": {"workers": 1},
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(settings))
    return prepare_table(folder / "own.yaml", folder / "prepared", folder / "cohort.yaml")


def test_values_units_and_labels_of_each_ecg(tmp_path: Path) -> None:
    cohort = prepared(tmp_path)
    number = cohort.ecgs["ecg_id"].str[1:].astype(int).to_numpy()
    clinical = cohort.clinical
    np.testing.assert_allclose(clinical["lab:potassium"], 4 + number / 10, rtol=1e-6)
    assert clinical["lab:sodium"].isna().all(), "its unit is none that is known"
    np.testing.assert_allclose(clinical["vital:heartrate"], 60 + number)
    np.testing.assert_allclose(clinical["vital:temperature"], 37, atol=1e-4)
    np.testing.assert_allclose(clinical["biometric:weight"], 200 * 0.45359237, rtol=1e-6)
    np.testing.assert_allclose(cohort.ecgs["age"], 50 + number)
    np.testing.assert_array_equal(cohort.findings["AFIB"], np.array([1, 0, np.nan], np.float32)[number % 3])
    # The column of labels goes before the report's words; without a report a finding is unknown.
    np.testing.assert_array_equal(cohort.findings["STACH"], np.where(number == 0, 1, np.where(number == 1, 0, np.nan)))
    np.testing.assert_array_equal(cohort.diagnoses["MINE"], number % 2)
    assert {"I5022", "I50", "I10"} & set(cohort.diagnoses) == set(), "every patient has both: nobody to tell apart"
    names = {label["code"]: label["name"] for label in cohort.info["labels"]["diagnoses"]}
    assert names == {"MINE": "Something of our own"}
    assert cohort.ecgs["patient"].str.match(r"prepared:p\d").all()
    assert (cohort.info["license"], cohort.info["simulated"]) == ("ours", False)
    card = (cohort.folder / "data_card.md").read_text()
    assert "not asked for in `names`, the commonest first: XYZ (12)" in card
    assert "| lab:sodium | furlong | 12 | dropped |" in card


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    def change(described: dict[str, Any], tables: dict[str, pd.DataFrame]) -> None:
        ecgs = tables["ecgs"].astype(object)
        ecgs.loc[0, "who"] = None
        ecgs.loc[1, "when"] = "yesterday"
        ecgs.loc[2, "file"] = "gone.edf"
        tables["ecgs"] = pd.concat([ecgs, ecgs.loc[[5]]])
        tables["labs"]["result"] = ["hemolyzed", *tables["labs"]["result"][1:]]

    cohort = prepared(tmp_path, change)
    assert cohort.info["excluded"] == {
        "no patient, ECG or file": 1,
        "no time": 1,
        "listed more than once": 1,
        "There is no such file.": 1,
    }
    card = (cohort.folder / "data_card.md").read_text()
    assert "ecgs.csv: 1 of 13 cells of the column `when` cannot be read, the first in row 3." in card
    assert "labs.csv: 1 of 36 cells of the column `result` cannot be read, the first in row 2." in card


def test_parquet_a_format_of_times_and_a_decimal_comma_are_read_alike(tmp_path: Path) -> None:
    def change(described: dict[str, Any], tables: dict[str, pd.DataFrame]) -> None:
        labs = tables.pop("labs")
        labs["taken"] = labs["taken"].dt.strftime("%d.%m.%Y %H:%M")
        labs["result"] = labs["result"].map(lambda value: f"{value:.1f}".replace(".", ","))
        labs.to_parquet(tmp_path / "labs.parquet")
        described["labs"][0] |= {"table": "labs.parquet", "time_format": "%d.%m.%Y %H:%M", "decimal": ","}

    cohort = prepared(tmp_path, change)
    number = cohort.ecgs["ecg_id"].str[1:].astype(int).to_numpy()
    np.testing.assert_allclose(cohort.clinical["lab:potassium"], 4 + number / 10, rtol=1e-6)


def _set(section: str, key: str, value: object) -> Change:
    def change(described: dict[str, Any], tables: dict[str, pd.DataFrame]) -> None:
        part = described[section][0] if isinstance(described[section], list) else described[section]
        part[key] = value

    return change


def _cell(table: str, row: int, column: str, value: object) -> Change:
    def change(described: dict[str, Any], tables: dict[str, pd.DataFrame]) -> None:
        tables[table] = tables[table].reset_index(drop=True).astype(object)
        tables[table].loc[row, column] = value

    return change


def _all(table: str, column: str, value: object) -> Change:
    return lambda described, tables: tables[table].__setitem__(column, value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d, t: d.pop("ecgs"), "missing required field `ecgs`"),
        (_set("ecgs", "colour", "blue"), "unknown field `colour` (at `ecgs`)"),
        (_set("ecgs", "folder", "elsewhere"), "own.yaml names the folder elsewhere, which is not there."),
        (_set("ecgs", "columns", {"file": "file", "patient": "no", "time": "when"}), "ecgs.csv has no column `no`;"),
        (_set("ecgs", "sex", {"female": ["w"], "male": ["x"]}), "The column `sex` of ecgs.csv holds none of the words"),
        (_set("labs", "table", "lost.csv"), "own.yaml names the table lost.csv, which is not there."),
        (_set("labs", "names", {"kryptonite": ["KR"]}), "labs: kryptonite is none of those known: potassium, "),
        (_set("labs", "columns", {"patient": "who", "name": "test", "value": "result"}), "needs a `time`"),
        (_set("vitals", "values", {"sbp": {"column": "hr", "unit": "bar"}}), "The unit 'bar' of sbp in vitals.csv"),
        (_set("vitals", "columns", {}), "vitals: vitals.csv is joined to no ECG"),
        (_set("labels", "findings", {"ZZZ": "af"}), "labels: ZZZ is no SCP-ECG code"),
        (_set("labels", "diagnoses", {"QQ7": "mine"}), "QQ7 is no ICD-10-CM code"),
        (_cell("labels", 4, "af", 7), "labels.csv, row 6: the column `af` holds neither 0 nor 1 nor nothing."),
        (_cell("ecgs", 3, "file", "../3.hea"), "ecgs.csv, row 5: the column `file` names a path outside"),
        (_all("labs", "taken", "soon"), "No cell of the column `taken` of labs.csv can be read"),
        (_all("ecgs", "file", "gone"), "No usable ECG: {'There is no such file.': 12}."),
    ],
)  # fmt: skip
def test_one_sentence_says_what_is_wrong(change: Change, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        prepared(tmp_path, change)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message
    assert str(tmp_path) not in message


def test_a_broken_yaml_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("ecgs:\n  table: [a\n  folder: b\n")
    with pytest.raises(ValueError, match=r"own\.yaml is no YAML \(line 3\)"):
        read_description(file)
    file.write_text("just words")
    with pytest.raises(ValueError, match=r"holds no sections"):
        read_description(file)


def test_the_docs_name_every_key() -> None:
    text = (ROOT / "docs" / "hospital.md").read_text()
    structs = [
        kind for kind in vars(description).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    ]
    assert len(structs) > 10
    lost = {field for kind in structs for field in kind.__struct_fields__ if f"`{field}`" not in text}
    assert lost <= {"column", "group"}, lost  # shown as `{column: , name: , group: }`
