"""What an attribution rests on in words: shares that make 1, the leads and the wave by name, and the sign kept."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.ecg import LEADS
from ecgkt.measurements.delineation import Beat, Beats
from ecgkt.prediction import Attribution, Label
from ecgkt.relevance.summary import RHYTHM, RelevanceSummary, Share, summarize

LABEL = Label("labs", "potassium_high", "Hyperkalaemia", "Electrolytes", 0.1, 0.2, "", None, 0, "simulated")
BEATS = Beats((Beat(0.5, 0.30, 0.40, 0.45, 0.55, 0.65, 0.80), Beat(1.5, None, None, 1.45, 1.55, 1.65, 1.80)))


def _summary(relevance: np.ndarray, rhythm: float = 0.0, method: str = "integrated_gradients") -> RelevanceSummary:
    return summarize(Attribution(LABEL, method, 100.0, relevance.astype(np.float32), rhythm), BEATS)


def _two_signs() -> np.ndarray:
    """T of the first beat raises in V2-V4 (45 of 60), QRS lowers in II (15)."""
    relevance = np.zeros((12, 200))
    relevance[7:10, 65:80] = 1.0
    relevance[1, 45:55] = -1.5
    return relevance


def test_the_wave_the_leads_and_the_direction_are_named() -> None:
    found = _summary(_two_signs())
    assert [region.words for region in found.regions] == [
        "T wave in V2-V4, 75% of the total contribution, raises the score",
        "QRS complex in II, 25% of the total contribution, lowers the score",
    ]
    assert found.sentence == "The T wave in V2-V4 contributes most to the score (75%, raising it)."
    assert found.by_wave["T"] == Share(0.75, 0.75)
    assert found.by_lead["II"] == Share(0.25, -0.25)


def test_leads_where_a_wave_raises_are_not_mixed_with_those_where_it_lowers() -> None:
    relevance = np.zeros((12, 200))
    relevance[7:10, 65:80] = [[2], [-2], [2]]
    words = [region.words for region in _summary(relevance).regions]
    assert words[0] == "T wave in V2 and V4, 67% of the total contribution, raises the score"
    assert words[1] == "T wave in V3, 33% of the total contribution, lowers the score"


def test_what_works_both_ways_is_said_to_do_so_on_balance() -> None:
    relevance = np.zeros((12, 200))
    relevance[0, 65:75] = [1] * 6 + [-1] * 4
    assert "on balance raising it" in _summary(relevance).sentence
    share = _summary(-relevance).by_lead["I"]
    assert (share.raises, share.lowers) == (pytest.approx(0.4), pytest.approx(0.6))
    assert share.direction == "on balance lowers the score"


@pytest.mark.parametrize("method", ["integrated_gradients", "saliency"])
@pytest.mark.parametrize("rhythm", [0.0, -300.0])
def test_shares_sum_to_one_by_lead_by_wave_and_by_region(method: str, rhythm: float) -> None:
    relevance = np.random.default_rng(0).normal(size=(12, 200))
    found = _summary(np.abs(relevance) if method == "saliency" else relevance, rhythm, method)
    of_rhythm = found.rhythm.total
    assert of_rhythm == pytest.approx(abs(rhythm) / (np.abs(relevance).sum() + abs(rhythm)))
    assert sum(share.total for share in found.by_lead.values()) + of_rhythm == pytest.approx(1)
    by_wave = sum(share.total for share in found.by_wave.values())
    assert by_wave + found.elsewhere.total + of_rhythm == pytest.approx(1)
    assert sum(region.share.total for region in found.regions) + found.rest.total == pytest.approx(1)


def test_rhythm_stands_beside_the_waves() -> None:
    found = _summary(_two_signs(), rhythm=-15.0)
    assert found.rhythm == Share(0.2, -0.2)
    assert RHYTHM in [region.where for region in found.regions]
    assert found.sentence.endswith("The RR intervals contribute 20%, lowering it.")
    first = _summary(_two_signs(), rhythm=600.0).sentence
    assert first.startswith("The RR intervals contribute most to the score (91%, raising it).")


def test_a_method_without_signs_says_no_direction() -> None:
    found = _summary(np.abs(_two_signs()), method="saliency")
    assert not found.signed
    assert [region.words for region in found.regions] == [
        "T wave in V2-V4, 75% of the total contribution",
        "QRS complex in II, 25% of the total contribution",
    ]
    assert "ing it" not in found.sentence


def test_leads_are_named_all_but_a_few_or_the_fewest_that_hold_most() -> None:
    even = _summary(np.ones((12, 200)))
    assert {round(share.total, 6) for share in even.by_lead.values()} == {round(1 / len(LEADS), 6)}
    assert "in all leads contributes" in even.sentence
    most = np.ones((12, 200))
    most[[3, 8]] = 0
    assert "in all leads but aVR and V3 contributes" in _summary(most).sentence


def test_nothing_and_no_beats() -> None:
    nothing = _summary(np.zeros((12, 200)))
    assert (nothing.sentence, nothing.regions) == ("Nothing in this tracing contributes to the score.", ())
    assert nothing.rest.total == 0
    unknown = Attribution(LABEL, "saliency", 100.0, np.full((12, 200), np.nan, dtype=np.float32))
    assert "Nothing" in summarize(unknown, BEATS).sentence
    ones = Attribution(LABEL, "integrated_gradients", 100.0, np.ones((12, 200), dtype=np.float32))
    without = summarize(ones, Beats(()))
    assert without.sentence == "All leads contribute most to the score (100%, raising it). No beats were found."
    with pytest.raises(ValueError, match="12"):
        summarize(Attribution(LABEL, "saliency", 100.0, np.ones((3, 200), dtype=np.float32)), BEATS)
