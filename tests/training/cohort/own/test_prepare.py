"""The made-up hospital against the same patients in MIMIC's layout; what stands in the data card; a run on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from ecgkt.model.bundle import load_bundle
from ecgkt.prediction import HEADS
from training.__main__ import main
from training.cohort.mimic.prepare import prepare_mimic
from training.cohort.own.prepare import prepare_table
from training.cohort.prepared import Prepared
from training.release.model_card import labels_csv, model_card
from training.simulation import simulate
from training.simulation.hospital import TESTS, export

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[4]
TINY = ROOT / "training/configs/cohort_tiny.yaml"
LABS = ("potassium", "sodium", "creatinine", "glucose", "urea_nitrogen", "haemoglobin", "troponin_t", "nt_probnp")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cohort = tmp_path_factory.mktemp("simulated")
    simulate(145, 1, cohort, workers=1)
    return cohort


@pytest.fixture(scope="module")
def hospital(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(simulated, tmp_path_factory.mktemp("hospital"), 200)


@pytest.fixture(scope="module")
def cohort(hospital: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare_table(hospital, tmp_path_factory.mktemp("prepared") / "hospital", TINY)


def test_the_same_ecgs_as_from_mimics_layout(simulated: Path, cohort: Prepared, tmp_path: Path) -> None:
    mimic = prepare_mimic(simulated, tmp_path / "mimic", TINY)
    assert len(cohort) == 200
    place = {"E" + str(int(ecg) % 1_000_000): row for row, ecg in enumerate(mimic.ecgs["ecg_id"])}
    rows = [place[ecg] for ecg in cohort.ecgs["ecg_id"]]
    # Another reader and rounding to whole microvolts in between.
    assert np.abs(cohort.signals.astype(int) - mimic.signals[rows]).max() <= 2
    theirs = mimic.clinical.iloc[rows].reset_index(drop=True)
    assert len(TESTS) == len(LABS)
    for column in (*(f"lab:{lab}" for lab in LABS), "lab:ph", "vital:temperature", "vital:sbp", "biometric:age"):
        ours = cohort.clinical[column]
        assert (ours.isna() == theirs[column].isna()).all(), column
        assert ours.notna().sum() >= 10  # pH is seldom measured
        np.testing.assert_allclose(ours, theirs[column], rtol=2e-3, atol=1e-3, err_msg=column)
    np.testing.assert_array_equal(cohort.clinical["biometric:sex"], theirs["biometric:sex"])
    for code in set(cohort.diagnoses) & set(mimic.diagnoses):
        np.testing.assert_array_equal(cohort.diagnoses[code], mimic.diagnoses[code].iloc[rows])
    assert cohort.diagnoses.shape[1] > 0


def test_it_says_what_the_data_are_and_what_was_done(hospital: Path, cohort: Prepared) -> None:
    assert cohort.info["source"] == "own"
    assert cohort.info["simulated"], "SIMULATED.md stands beside the YAML"
    assert cohort.info["license"] == "none, simulated patients"
    used = cohort.ecgs[cohort.ecgs["split"] != "extra"]
    assert used.groupby("patient")["split"].nunique().max() == 1
    card = (cohort.folder / "data_card.md").read_text()
    for said in ("own data", "| lab:creatinine | umol/L |", "| lab:pco2 | kPa |", "| vital:temperature | Fahrenheit |",
                 "Labs that no table has: chloride"):  # fmt: skip
        assert said in card
    # The patients' own files, in every format.
    assert {Path(path).suffix for path in cohort.ecgs["path"]} == {".hea", ".edf", ".npy", ".csv"}


def test_made_again_it_is_the_same_whatever_the_workers(hospital: Path, cohort: Prepared, tmp_path: Path) -> None:
    settings = yaml.safe_load(TINY.read_text()) | {"signals": {"workers": 1}, "duckdb": {"threads": 1}}
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(settings))
    again = prepare_table(hospital, tmp_path / "hospital", tmp_path / "one.yaml")
    pd.testing.assert_frame_equal(again.clinical, cohort.clinical)
    assert again.info["splits"] == cohort.info["splits"]
    assert (again.signals == cohort.signals).all()


@pytest.mark.training
@pytest.mark.parametrize(("left_out", "without"), [(("labels",), "findings"), (("labels", "labs"), "labs")])
def test_a_run_on_real_patients_ends_with_a_bundle_though_a_head_is_missing(
    hospital: Path, tmp_path: Path, left_out: tuple[str, ...], without: str
) -> None:
    described = {key: value for key, value in yaml.safe_load(hospital.read_text()).items() if key not in left_out}
    folder = tmp_path / "export"
    folder.mkdir()
    for part in hospital.parent.iterdir():
        if part.name != "SIMULATED.md":  # so that they are taken for real
            (folder / part.name).symlink_to(part)
    (folder / "mine.yaml").write_text(yaml.safe_dump(described))
    config = yaml.safe_load((ROOT / "training/configs/tiny.yaml").read_text())
    config |= {"out": str(tmp_path / "run"), "cohort": str(TINY), "members": 1, "pretrain_steps": 4}
    config |= {"finetune_steps": 6, "bootstrap": 20}
    config["sources"] = [{"name": "mine", "kind": "table", "path": str(folder / "mine.yaml"), "share": 1.0}]
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(config))
    assert main(["all", "--config", str(tmp_path / "run.yaml")]) == 0
    bundle = load_bundle(tmp_path / "run" / "bundle")
    assert not bundle.card.labels[without]
    assert {entry.learned_from for head in HEADS for entry in bundle.card.labels[head]} == {"real"}
    assert not any("simulated" in limit or "PTB-XL" in limit for limit in bundle.card.limits)
    card = model_card(bundle.card, bundle.metrics, "metrics.json")
    assert f"- {without.capitalize()}: none" in card
    assert labels_csv(bundle.card).count("\n") > 1
