"""Relevance as a term of training: what it measures, which scores it asks about, and what it does to a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgkt.ecg import LEADS
from ecgkt.model.networks.beat_detection import BEAT, RHYTHM_FEATURES
from ecgkt.model.networks.beat_encoder import BeatView
from ecgkt.model.networks.network import Architecture, Network
from tests.training.toy_run import toy_config, write_toy
from training.recipes import RECIPES
from training.train import relevance
from training.train.relevance import Beats, area, drawn_beats, hanging, outside, references, teach_relevance, unlearned
from training.train.shaped_by import by_recipe
from training.train.task import build_network, run_task

SETTINGS = {"patients": 8, "weight": 1.0, "steps": 30, "lr": 0.002}
ENCODER = {"kind": "beat", "widths": [8, 8, 8, 8], "hidden": 16}
V2 = 7


def beats(count: int = 40) -> Beats:
    """QRS and T in all leads, and in every beat a change of T in V2 (the third of the leads that a change has)."""
    rng = np.random.default_rng(4)
    samples = np.arange(BEAT)
    qrs, t = np.exp(-(((samples - 36) / 2) ** 2)), np.exp(-(((samples - 65) / 6) ** 2))
    templates = np.zeros((count, 3, len(LEADS), BEAT), np.float32)
    templates[:, 0] = rng.normal(1, 0.3, (count, 12, 1)) * qrs + rng.normal(0.3, 0.05, (count, 12, 1)) * t
    changes = np.zeros((count, 8, BEAT), np.float32)
    changes[:, 3] = rng.uniform(0.3, 0.6, (count, 1)) * t
    templates[:, 0, V2] += changes[:, 3]
    return Beats(
        torch.from_numpy(templates).flatten(1, 2), torch.zeros(count, RHYTHM_FEATURES), torch.arange(count),
        torch.from_numpy(changes),
    )  # fmt: skip


@pytest.fixture
def network() -> Network:
    torch.manual_seed(5)
    labels = {"findings": ["AFIB", "NORM"], "labs": ["potassium_high"]}
    return Network(Architecture("ecg", ENCODER, labels, [], 8, 0.0)).eval()


def view_of(some: Beats) -> BeatView:
    return BeatView(some.templates, some.rhythm)


def test_the_area_is_the_smallest_with_nine_tenths_of_the_energy() -> None:
    change = torch.zeros(1, 12, BEAT)
    change[0, 2, 10], change[0, 3, 20], change[0, 4, 30] = 3.0, -2.0, 0.5  # energies 9, 4, 0.25
    found = area(change)
    assert found.sum() == 2
    assert found[0, 2, 10]
    assert found[0, 3, 20]


def test_of_a_linear_score_the_share_outside_is_that_of_weight_times_distance(network: Network) -> None:
    class Linear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.randn(36, BEAT))

        def forward(self, view: BeatView) -> dict[str, torch.Tensor]:
            return {"labs": (view.templates * self.weight).sum(dim=(1, 2))[:, None]}

    linear, some = Linear(), beats(3)
    inside = area(relevance.twelve(some.changes))
    found = outside(
        linear, view_of(some), torch.zeros_like(some.templates), torch.full((3, 1, 1), 0.4),  # type: ignore[arg-type]
        torch.zeros(3, dtype=torch.int64), inside,
    )  # fmt: skip
    size = (some.templates * linear.weight).view(3, 3, 12, BEAT).sum(dim=1).abs()
    torch.testing.assert_close(found, 1 - (size * inside).sum(dim=(1, 2)) / size.sum(dim=(1, 2)))
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert linear.weight.grad is not None
    assert linear.weight.grad.abs().max() > 0


def test_only_scores_that_fall_without_the_change_are_asked_about(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = beats()
    monkeypatch.setattr(relevance, "UNLIKELY", 0.0)
    monkeypatch.setattr(relevance, "FALL", 1e9)
    assert len(hanging(network, some).beat) == 0
    monkeypatch.setattr(relevance, "FALL", 1e-4)
    found = hanging(network, some, batch=7)
    assert len(found.beat)
    without = some.templates.clone()
    without[:, : len(LEADS)] -= relevance.twelve(some.changes)
    with torch.no_grad():
        fall = relevance.logits(network, some.templates, some.rhythm) - relevance.logits(network, without, some.rhythm)
    assert {(int(b), int(k)) for b, k in zip(found.change, found.logit, strict=True)} == {
        (int(b), int(k)) for b, k in (fall >= 1e-4).nonzero()
    }


def test_references_are_flat_or_hardly_changed() -> None:
    some = beats()
    least = int(some.changes.square().sum(dim=(1, 2)).argmin())
    found = references(some)
    torch.testing.assert_close(found[0], some.templates[least])
    assert found[len(found) // 2 :].abs().max() == 0


def test_nothing_is_unlearned_where_the_former_logits_are_said() -> None:
    former = {"labs": torch.randn(3, 5), "findings": torch.randn(3, 2)}
    said = {head: logits.clone().requires_grad_(True) for head, logits in former.items()}
    found = unlearned(said, former, {"labs": 0.5, "findings": 1.0})
    found.backward()  # type: ignore[no-untyped-call]
    for logits in said.values():
        assert logits.grad is not None
        torch.testing.assert_close(logits.grad, torch.zeros_like(logits), atol=1e-6, rtol=0)
    moved = {**former, "labs": former["labs"] + 0.1}
    assert unlearned(moved, former, {"labs": 0.5, "findings": 1.0}) > found.detach()


def test_scores_stay_nearer_to_what_they_were_the_more_the_former_ones_weigh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_toy(tmp_path, encoder=ENCODER, batch=32, relevance=SETTINGS)
    monkeypatch.setattr(relevance, "FALL", 1e-5)
    monkeypatch.setattr(relevance, "UNLIKELY", 0.0)
    monkeypatch.setattr(relevance, "drawn_beats", lambda path, patients: beats())
    task, some = run_task(toy_config(tmp_path)), beats()

    def moved(weight: float) -> float:
        monkeypatch.setattr(relevance, "FORMER", weight)
        network = build_network(task.config, task.pool, "ecg", ["findings", "labs"], 3).eval()
        before = relevance.logits(network, some.templates, some.rhythm).detach()
        teach_relevance(task, network, task.pool, tmp_path / str(weight))
        return float((relevance.logits(network, some.templates, some.rhythm).detach() - before).abs().mean())

    near, far = moved(30.0), moved(0.0)
    assert near < 0.7 * far


def test_beats_are_drawn_once_and_a_damaged_file_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pairs.safetensors"
    first = drawn_beats(path, 4)
    content = path.read_bytes()
    assert len(first.beat) == len(first.changes) > 0
    assert int(first.beat.max()) < len(first.templates) == len(first.rhythm)
    path.write_bytes(content[:-100])
    again = drawn_beats(path, 4)
    torch.testing.assert_close(again.changes, first.changes)
    assert "made again" in capsys.readouterr().out
    assert path.read_bytes() == content


def test_a_network_comes_to_rest_its_scores_on_the_change_and_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_toy(tmp_path, encoder=ENCODER, batch=32, relevance=SETTINGS, checkpoint_every=10)
    monkeypatch.setattr(relevance, "FALL", 1e-5)  # a network that has learned nothing hangs on little
    monkeypatch.setattr(relevance, "UNLIKELY", 0.0)
    monkeypatch.setattr(relevance, "drawn_beats", lambda path, patients: beats())
    task = run_task(toy_config(tmp_path))

    def taught(folder: str) -> tuple[Network, dict[str, float]]:
        network = build_network(task.config, task.pool, "ecg", ["findings", "labs"], 3).eval()
        return network, teach_relevance(task, network, task.pool, tmp_path / folder)

    begun = build_network(task.config, task.pool, "ecg", ["findings", "labs"], 3).eval()
    found, some = hanging(begun, beats()), beats()

    def share(network: Network) -> float:
        view = BeatView(some.templates[found.beat], some.rhythm[found.beat])
        half, flat = torch.full((len(found.beat), 1, 1), 0.5), torch.zeros_like(view.templates)
        return float(outside(network, view, flat, half, found.logit, found.area).detach().mean())

    whole, told = taught("whole")
    assert share(whole) < 0.8 * share(begun)
    assert told["scores"] == len(found.beat)
    fit = relevance.fit

    def stopped(*of: object, **more: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(
        relevance,
        "fit",
        lambda name, module, groups, loss, *rest: fit(
            name, module, groups, lambda step, part: stopped() if step == 15 else loss(step, part), *rest
        ),
    )  # type: ignore
    with pytest.raises(KeyboardInterrupt):
        taught("stopped")
    monkeypatch.setattr(relevance, "fit", fit)
    again, _ = taught("stopped")
    for key, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key


def test_the_term_shapes_the_run_s_transfer_and_nothing_else(tmp_path: Path) -> None:
    write_toy(tmp_path, encoder=ENCODER)
    plain = run_task(toy_config(tmp_path))
    task = replace(plain, config=toy_config(tmp_path, relevance=SETTINGS))
    assert by_recipe(task, "lab_heads") != by_recipe(plain, "lab_heads")
    assert by_recipe(task, "signal_only") == by_recipe(plain, "signal_only")
    assert not task.teaches_relevance(RECIPES["signal_only"])
    other = replace(task, config=replace(task.config, encoder={"kind": "resnet", "width": 4}))
    assert not other.teaches_relevance(RECIPES["lab_heads"])
