"""Preparation of a cohort in MIMIC's layout: who is in it, the same from a zip and from other formats, and its card."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecgkt.datasets.mimic.tables import add_view, add_views, connect, find_table
from ecgkt.ecg import ECGError
from tests.training.cohort.mimic.written_cohort import PATIENTS
from training.cohort.mimic.prepare import NEEDED, prepare_mimic
from training.cohort.prepared import Prepared, load_prepared

pytestmark = pytest.mark.slow


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
