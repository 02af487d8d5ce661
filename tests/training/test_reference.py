"""What a bundle is given of simulated patients: a cohort that can be drawn again, probes, heads over their causes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from ecgkt.model.bundle import METRICS_FILE, REFERENCE_FILE, BundleError, load_bundle
from ecgkt.model.default_bundle import DEFAULT_BUNDLE
from ecgkt.model.model import Model
from ecgkt.simulation.what_if import find
from training.evaluate.probes import cross_validated, explained
from training.release.reference import write_reference

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped bundle with a small cohort of its own."""
    out = tmp_path_factory.mktemp("bundle") / "default"
    shutil.copytree(DEFAULT_BUNDLE, out)
    write_reference(out, patients=120, curves=2)
    return out


def test_the_cohort_is_drawn_again_from_its_seed(folder: Path) -> None:
    model = Model(load_bundle(folder))
    reference = model.reference
    assert reference is not None
    assert len(reference) == 120
    for row in (0, 57, 119):
        subject = find(reference.seed, int(reference.index[row]))
        place = reference.place(model.embeddings([subject.ecg()])[0])
        assert np.allclose(place, reference.places[row].astype(np.float32), atol=0.02 * (1 + np.abs(place).max()))
        column = reference.columns.index("potassium")
        assert reference.quantities[row, column] == pytest.approx(subject.value("potassium"), rel=1e-4)
        hypertensive = reference.labels[row, reference.codes.index("I10")]
        assert not hypertensive or "hypertension" in subject.active  # coded, so there (but for one stay in 500)


def test_probes_and_responses_are_in_the_figures_and_weights_stay(folder: Path) -> None:
    before, after = load_bundle(DEFAULT_BUNDLE), load_bundle(folder)
    assert after.sha256 == before.sha256
    by_name = {probe.target: probe for probe in after.metrics.probes}
    assert set(by_name["Heart rate"].models) == {"signal_only", "knowledge_transfer"}
    assert by_name["Heart rate"].models["knowledge_transfer"][0] > 0.5
    assert {"Age", "Sex", "potassium", "PR"} <= set(by_name)
    assert {response.quantity for response in after.metrics.responses} >= {"potassium", "calcium", "heart_rate"}
    assert msgspec_without_new(after.metrics) == msgspec_without_new(before.metrics)


def msgspec_without_new(metrics: object) -> dict[str, object]:
    new = ("probes", "responses")
    return {name: getattr(metrics, name) for name in metrics.__struct_fields__ if name not in new}  # type: ignore[attr-defined]


def test_a_cohort_that_is_not_this_bundles_is_refused(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / REFERENCE_FILE).write_bytes((broken / "novelty.safetensors").read_bytes())
    with pytest.raises(BundleError, match="SHA-256"):
        load_bundle(broken)


def test_a_bundle_without_one_loads(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(DEFAULT_BUNDLE, plain)
    found = load_bundle(plain)
    if REFERENCE_FILE in found.card.files:
        pytest.skip("the shipped bundle has a reference cohort, so none without is at hand")
    assert found.reference is None
    assert METRICS_FILE in found.card.files


def test_a_probe_reads_what_is_there_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    embeddings = rng.normal(size=(600, 8)).astype(np.float32)
    value = 2 * embeddings[:, 0] - embeddings[:, 3] + rng.normal(0, 1, 600)
    weights = np.ones((1, 600))
    read = float(explained(cross_validated(embeddings, value, 0), value, weights)[0])
    assert read == pytest.approx(5 / 6, abs=0.06)  # the variance explained: 5 of 5 + 1
    nothing = rng.normal(size=600)
    assert abs(float(explained(cross_validated(embeddings, nothing, 0), nothing, weights)[0])) < 0.05
