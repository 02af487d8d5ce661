"""Findings on real ECGs, pooled and by set: each figure against scikit-learn's on the same ECGs."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecgkt.json_records import encode
from ecgkt.results import real_ecgs
from ecgkt.results.metrics import RealFindings
from training.evaluate.auroc import real_findings
from training.metrics import patient_resamples

CODES = ["AFIB", "IMI", "MI", "NORM"]


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    targets = rng.integers(0, 2, (120, 4)).astype(float)
    targets[80:, 1:] = np.nan  # a set that tells rhythm only
    return {
        "targets": targets,
        "scores": np.nan_to_num(targets) + rng.normal(0, 1, (120, 4)),
        "set": np.arange(120) // 40,
    }


@pytest.fixture(scope="module")
def found(data: dict[str, np.ndarray]) -> RealFindings:
    resamples = patient_resamples(np.arange(120).astype(str), 50, 1)
    sets = {name: data["set"] == number for number, name in enumerate("abcd")}
    kinds = {"recorded": data["set"] != 1, "modeled": data["set"] == 1}
    groups = {"by_amplitudes": kinds, "by_source": sets}
    return real_findings(CODES, data["scores"], data["targets"], resamples, groups)


def auroc(data: dict[str, np.ndarray], code: str, here: np.ndarray) -> float:
    column = CODES.index(code)
    here = here & ~np.isnan(data["targets"][:, column])
    return float(roc_auc_score(data["targets"][here, column], data["scores"][here, column]))


def test_every_part_is_measured_on_its_own_ecgs(data: dict[str, np.ndarray], found: RealFindings) -> None:
    everything = np.ones(120, dtype=bool)
    parts = [(found, everything), (found.by_source["b"], data["set"] == 1)]
    parts += [(found.by_amplitudes["modeled"], data["set"] == 1), (found.by_amplitudes["recorded"], data["set"] != 1)]
    for part, here in parts:
        assert part.ecgs == here.sum()
        assert part.superclasses.auroc is not None
        expected = np.mean([auroc(data, code, here) for code in ("MI", "NORM")])
        assert part.superclasses.auroc[0] == pytest.approx(expected)
        infarction = part.statements.labels["IMI"].auroc
        assert infarction is not None
        assert infarction[0] == pytest.approx(auroc(data, "IMI", here))


def test_a_set_that_tells_nothing_of_a_list_has_no_figure_and_an_empty_one_is_not_there(found: RealFindings) -> None:
    assert found.by_source["c"].superclasses.auroc is None
    assert found.by_source["c"].statements.labels.keys() == {"AFIB"}
    assert "d" not in found.by_source


def test_they_are_told_by_set_and_older_figures_can_still_be_read(found: RealFindings) -> None:
    table = real_ecgs.findings_by_set(found)
    assert [row[0] for row in table.rows] == ["amplitudes recorded", "amplitudes modeled", "a", "b", "c"]
    older = json.loads(encode(found))
    assert older.pop("by_source").keys() == {"a", "b", "c"}
    del older["by_amplitudes"]
    assert msgspec.json.decode(json.dumps(older), type=RealFindings).by_source == {}
