"""The fit of diagnoses on labs, on made-up scores of which the truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

import ecgkt
from ecgkt.lab_links.links import LabLinks
from ecgkt.model.bundle import BundleError, add_lab_links, load_bundle
from ecgkt.model.default_bundle import DEFAULT_BUNDLE
from tests.stand_in import label
from training.calibrate.lab_links import fit_links
from training.release.lab_links import reference_ecgs

LABS = tuple(
    label("labs", code, code, lab=code.rpartition("_")[0], direction=code.rpartition("_")[2])
    for code in ("potassium_high", "urea_nitrogen_high", "sodium_low", "tsh_high")
)
DIAGNOSES = (label("diagnoses", "E875", "Hyperkalemia"), label("diagnoses", "E039", "Hypothyroidism"))


def fitted(silent: tuple[str, ...] = ("tsh_high",)) -> LabLinks | None:
    rng = np.random.default_rng(3)
    odds = {each.code: rng.normal(-2, 1, 600) for each in LABS}
    odds["E875"] = -3 + 0.8 * odds["potassium_high"] + 0.3 * odds["sodium_low"] + rng.normal(0, 0.2, 600)
    odds["E039"] = -3 + rng.normal(0, 1, 600)
    said = {code: 1 / (1 + np.exp(-values)) for code, values in odds.items()}
    labs = [replace(each, auroc=(0.5, 0.4, 0.6)) if each.code in silent else each for each in LABS]
    return fit_links(said, labs, DIAGNOSES, "made up")


def test_the_slope_is_found_and_what_makes_no_sense_is_told_and_left_out() -> None:
    found = fitted()
    assert found is not None
    hyperkalemia = found.diagnoses["E875"]
    assert set(hyperkalemia.slopes) == {"potassium_high"}
    assert hyperkalemia.slopes["potassium_high"] == pytest.approx(0.8, abs=0.05)
    assert hyperkalemia.senseless == ["sodium_low"]
    assert hyperkalemia.free_r2 > hyperkalemia.r2 > 0.7
    assert found.diagnoses["E039"].r2 < 0.1
    assert "tsh_high" not in found.labs, "a silent lab"


def test_without_a_lab_that_an_ecg_carries_there_is_nothing_to_fit() -> None:
    assert fitted(tuple(each.code for each in LABS)) is None


def test_links_are_added_to_a_bundle_that_loads_as_before(tmp_path: Path) -> None:
    folder = copytree(DEFAULT_BUNDLE, tmp_path / "bundle")
    made = fitted()
    assert made is not None
    before = load_bundle(folder)
    add_lab_links(folder, made)
    after = load_bundle(folder)
    assert after.lab_links == made
    assert after.sha256 == before.sha256
    assert {k: v for k, v in after.card.files.items() if k != "lab_links.json"} == {
        k: v for k, v in before.card.files.items() if k != "lab_links.json"
    }
    (folder / "lab_links.json").write_text("{}")
    with pytest.raises(BundleError, match="SHA-256 differs"):
        load_bundle(folder)
    with pytest.raises(BundleError, match=r"no readable bundle\.json"):
        add_lab_links(tmp_path, made)


def test_the_reference_cohort_is_the_same_whoever_draws_it() -> None:
    first, again = (list(reference_ecgs(2, 60417)) for _ in range(2))
    assert [np.array_equal(a.signal, b.signal) for a, b in zip(first, again, strict=True)] == [True] * len(first)
    assert isinstance(first[0], ecgkt.ECG)
