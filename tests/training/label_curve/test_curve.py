"""The label-efficiency curve: who is labeled, what a recipe may see, and the figures made of its runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.config import part_of
from training.label_curve.curve import curve, labeled_rows, load_curve_config
from training.label_curve.figures import figures
from training.recipes import RECIPES

ROOT = Path(__file__).resolve().parents[3]


class MadeUp:
    """As much of a `Pool` as figures and labels need: 300 patients with two ECGs each, three diagnoses."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        patients = np.repeat([f"p{i:03d}" for i in range(300)], 2)
        split = np.repeat(["train"] * 150 + ["test"] * 150, 2)
        self.ecgs = pd.DataFrame({"patient": patients, "split": split})
        self.targets = {"diagnoses": rng.integers(0, 2, (600, 3)).astype(np.float32)}
        self.labels = {"diagnoses": [{"group": "Heart"}, {"group": "Heart"}, {"group": "Kidney"}]}

    def rows(self, split: str) -> np.ndarray:
        return np.flatnonzero((self.ecgs["split"] == split).to_numpy())


def logits(pool: MadeUp, skill: float, seed: int) -> np.ndarray:
    truth = pool.targets["diagnoses"][pool.rows("test")]
    return skill * truth + np.random.default_rng(seed).normal(size=truth.shape)


def test_labeled_patients_are_drawn_whole_and_anew_by_each_seed() -> None:
    pool = MadeUp()
    one, again, other = (labeled_rows(pool, 40, seed) for seed in (1, 1, 2))  # type: ignore[arg-type]
    names = pool.ecgs["patient"].to_numpy()
    assert len(set(names[one])) == 40
    assert len(one) == 80, "both ECGs of each patient"
    assert set(pool.ecgs["split"].to_numpy()[one]) == {"train"}
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert len(labeled_rows(pool, 0, 1)) == 300  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="there are 150"):
        labeled_rows(pool, 151, 1)  # type: ignore[arg-type]


def test_figures_order_models_by_skill_and_close_the_gap_by_the_share_that_was_closed() -> None:
    pool = MadeUp()
    skills = {"signal_only": 0.2, "signal_only_long": 0.3, "distilled": 0.8, "multimodal": 1.6}
    found = {(name, size): [logits(pool, skill, seed) for seed in (1, 2)]
             for name, skill in skills.items() for size in (20, 0)}  # fmt: skip
    found["oracle", 0] = [logits(pool, 1.2, 9)]
    made = figures(found, pool, 20, "distilled", 150)  # type: ignore[arg-type]
    assert [point.patients for point in made.points] == [20, 150]
    for point in made.points:
        low, mid, high = (point.models[name][0] for name in ("signal_only_long", "distilled", "multimodal"))
        assert low < mid < point.models["oracle"][0] < high
        assert point.gap_closed[0] == pytest.approx((mid - low) / (high - low))
        assert point.attainable_gap_closed[0] == pytest.approx((mid - low) / (point.models["oracle"][0] - low))
        assert point.gap_closed[1] <= point.gap_closed[0] <= point.gap_closed[2]
    assert set(made.groups) == {"Heart", "Kidney"}
    same = made.conclusions.best_minus_signal_only_at_tenth
    assert same[0] == pytest.approx(
        made.points[0].models["distilled"][0] - made.points[0].models["signal_only_long"][0]
    )
    assert same[1] > 0, "a difference of that size is beyond its interval"


def test_the_tail_tells_the_gain_by_how_rare_a_diagnosis_is() -> None:
    pool = MadeUp()
    train = pool.rows("train")
    for column, positives in enumerate((30, 70, 120)):
        truth = np.zeros(len(train), dtype=np.float32)
        truth[:positives] = 1
        pool.targets["diagnoses"][train, column] = truth
    better = logits(pool, 0.8, 1)
    better[:, 1] = logits(pool, 0.2, 3)[:, 1]  # no gain in the second
    found = {("distilled", 0): [better, better], ("signal_only", 0): [logits(pool, 0.2, 3)] * 2}
    made = figures(found, pool, 20, "distilled", 150)  # type: ignore[arg-type]
    assert [(point.positives, point.labels) for point in made.tail] == [((20, 50), 1), ((50, 100), 1), ((100, 300), 1)]
    for point in made.tail:
        assert point.knowledge_transfer[0] - point.signal_only[0] == pytest.approx(point.gain[0])
    assert made.tail[0].gain[1] > 0
    assert made.tail[1].gain == (0, 0, 0)


def test_the_shipped_curve_runs_every_teacher_before_its_pupils() -> None:
    config = load_curve_config(ROOT / "training/configs/curve.yaml")
    runs = config.runs()
    assert len(runs) == len(set(runs))
    for number, (name, size, seed) in enumerate(runs):
        for teacher in RECIPES[name].teachers:
            assert (teacher, size, seed) in runs[:number]
    assert {size for name, size, _ in runs if name == config.best} == set(config.sizes)


def test_a_part_or_recipe_that_does_not_exist_is_refused_before_anything_is_read() -> None:
    config = load_curve_config(ROOT / "training/configs/curve.yaml")
    for part in ("3/2", "0/2", "x", "1"):
        with pytest.raises(ValueError, match="i/n"):
            curve(config, part=part)
    with pytest.raises(ValueError, match="magic"):
        curve(config, only="magic")
    assert part_of("2/3") == (2, 3)


def test_an_unknown_recipe_or_key_is_one_sentence(tmp_path: Path) -> None:
    text = (ROOT / "training/configs/curve.yaml").read_text()
    for changed, word in ((text.replace("best: ", "best: magic_"), "magic_"), (text + "color: red\n", "color")):
        (tmp_path / "curve.yaml").write_text(changed)
        with pytest.raises(ValueError, match=word):
            load_curve_config(tmp_path / "curve.yaml")
