"""What is drawn of the relevance: signs, classes, the cut, and colors on which the trace stays readable."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.prediction import Attribution, Label
from ecgkt.relevance.classes import classes, colors, summed
from ecgkt.sheet.colors import DARK, LIGHT

LABEL = Label("labs", "potassium_high", "Hyperkalaemia", "Electrolytes", 0.1, 0.2, "", None, 0, "simulated")


def _attribution(relevance: np.ndarray, method: str = "integrated_gradients") -> Attribution:
    return Attribution(LABEL, method, 100.0, relevance.astype(np.float32))


def _noise() -> np.ndarray:
    return np.random.default_rng(0).laplace(size=(12, 1000)) ** 3


def test_signs_are_kept() -> None:
    relevance = np.zeros((12, 1000))
    relevance[7, 300:340] = 1
    relevance[1, 500:540] = -1
    drawn = classes(_attribution(relevance), 100)
    assert (drawn[7, 302:338] == 4).all()
    assert (drawn[1, 502:538] == -4).all()
    assert not drawn[[0, *range(2, 7), *range(8, 12)]].any()


def test_ripples_shorter_than_50_ms_are_summed_up_and_nothing_is_lost_in_the_sum() -> None:
    relevance = np.zeros((12, 1000))
    relevance[0, 400:440] = np.tile([4.0, -1.0, -1.0, -2.0, 1.0], 8)
    together = summed(_attribution(relevance))
    assert together.sum() == pytest.approx(relevance.sum(), abs=1e-3)
    assert (together[0, 405:435] > 0).all()
    assert (classes(_attribution(relevance))[0, 405:435] > 0).all()


def test_what_is_shown_grows_with_the_cut_and_keeps_its_class() -> None:
    attribution = _attribution(_noise())
    size = np.abs(summed(attribution))
    last = np.zeros((12, 1000), dtype=np.int8)
    for shown in (0, 10, 30, 60, 90, 100):
        drawn = classes(attribution, shown)
        assert (drawn[last != 0] == last[last != 0]).all()
        assert size[drawn != 0].sum() / size.sum() == pytest.approx(shown / 100, abs=0.01)
        last = drawn
    assert (last[size > 0] != 0).all()


def test_a_class_is_never_weaker_than_the_one_below() -> None:
    attribution = _attribution(_noise())
    size, drawn = np.abs(summed(attribution)), np.abs(classes(attribution, 100))
    for k in range(1, 4):
        assert size[drawn == k].max() <= size[drawn == k + 1].min()


def test_without_signs_there_is_one_ramp() -> None:
    assert set(np.unique(classes(_attribution(np.abs(_noise()), "saliency"), 100))) <= {0, 1, 2, 3, 4}
    assert set(colors(signed=False)) == {1, 2, 3, 4}
    assert not set(colors(signed=False).values()) & set(colors(signed=True).values())


@pytest.mark.parametrize("relevance", [np.zeros((12, 1000)), np.full((12, 1000), np.nan)])
def test_nothing_is_drawn_of_nothing(relevance: np.ndarray) -> None:
    assert not classes(_attribution(relevance), 100).any()


def _lightness(color: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2)."""
    dark, light = sorted((_lightness(one), _lightness(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_the_trace_stays_readable_on_every_color_and_the_strongest_stands_out(dark: bool, signed: bool) -> None:
    palette = DARK if dark else LIGHT
    for k, color in colors(signed, dark).items():
        assert contrast(palette.trace, color) >= 4.5, (k, color)
        if abs(k) == 4:
            assert contrast(palette.paper, color) >= 3, (k, color)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_ramps_step_evenly_in_lightness(dark: bool, signed: bool) -> None:
    """CIE L*, so that a step looks like a step; the two signs are equally light, so neither looks stronger."""
    found = {k: 116 * np.cbrt(_lightness(color)) - 16 for k, color in colors(signed, dark).items()}
    for sign in (1, -1) if signed else (1,):
        steps = np.diff([found[sign * k] for k in (1, 2, 3, 4)])
        np.testing.assert_allclose(steps, steps.mean(), atol=0.1 * abs(steps.mean()))
    if signed:
        np.testing.assert_allclose([found[k] for k in (1, 2, 3, 4)], [found[-k] for k in (1, 2, 3, 4)], atol=0.6)
