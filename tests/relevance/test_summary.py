"""What an attribution rests on in words: shares that make 1, the leads and the wave by name, and the sign kept."""

from __future__ import annotations

import numpy as np
import pytest

from ecgkt.ecg import LEADS
from ecgkt.measurements.delineation import SEGMENTS, Beat, Beats, Segment
from ecgkt.prediction import Attribution, Label
from ecgkt.relevance.parts import stretches
from ecgkt.relevance.shares import RHYTHM, Share
from ecgkt.relevance.summary import RelevanceSummary, summarize

LABEL = Label("labs", "potassium_high", "Hyperkalaemia", "Electrolytes", 0.1, 0.2, "", None, 0, "simulated")
BEATS = Beats((Beat(0.5, 0.30, 0.40, 0.45, 0.55, 0.65, 0.80), Beat(1.5, None, None, 1.45, 1.55, 1.65, 1.80)))


def _summary(
    relevance: np.ndarray,
    rhythm: float = 0.0,
    method: str = "integrated_gradients",
    positive: bool | None = None,
    beats: Beats = BEATS,
) -> RelevanceSummary:
    return summarize(Attribution(LABEL, method, 100.0, relevance.astype(np.float32), rhythm), beats, positive)


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
    assert found.sentence == "The T wave contributes most to the score (75%, raising it), mainly in V2-V4."
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
    assert even.sentence.endswith("spread over all leads.")
    most = np.ones((12, 200))
    most[[3, 8]] = 0
    assert _summary(most).sentence.endswith("spread over all leads but aVR and V3.")


def test_nothing_and_no_beats() -> None:
    nothing = _summary(np.zeros((12, 200)))
    assert (nothing.sentence, nothing.regions) == ("Nothing in this tracing contributes to the score.", ())
    assert nothing.rest.total == 0
    unknown = Attribution(LABEL, "saliency", 100.0, np.full((12, 200), np.nan, dtype=np.float32))
    assert "Nothing" in summarize(unknown, BEATS).sentence
    ones = Attribution(LABEL, "integrated_gradients", 100.0, np.ones((12, 200), dtype=np.float32))
    without = summarize(ones, Beats(()))
    assert without.sentence == (
        "The signal (no beats found) contributes most to the score (100%, raising it), spread over all leads."
    )
    with pytest.raises(ValueError, match="12"):
        summarize(Attribution(LABEL, "saliency", 100.0, np.ones((3, 200), dtype=np.float32)), BEATS)


def test_a_positive_score_is_explained_by_what_raises_it_and_a_negative_one_by_what_lowers_it() -> None:
    up, down = _summary(_two_signs(), positive=True), _summary(_two_signs(), positive=False)
    assert up.sentence == "The T wave raises the score most (75% of the contribution raises it), mainly in V2-V4."
    assert down.sentence == "The QRS complex lowers the score most (25% of the contribution lowers it), mainly in II."


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("seed", range(40))
def test_the_wave_named_is_the_table_s_largest_in_the_score_s_direction(seed: int, positive: bool) -> None:
    random = np.random.default_rng(seed)
    relevance = random.normal(size=(12, 200)) * random.exponential(size=200) + random.normal(scale=0.3)
    found = _summary(relevance, float(random.normal(scale=60)), positive=positive)
    way = 1 if positive else -1
    going = [part for part in found.parts if way * (part.share.net or 0.0) > 0]
    assert found.named is not None
    if not going:
        assert found.sentence.startswith("On balance nothing in this tracing")
        return
    largest = max(part.share.raises if positive else part.share.lowers for part in going)
    assert (found.named.share.raises if positive else found.named.share.lowers) == largest
    verb = "raise" if positive else "lower"
    assert f"The {found.named.name} {verb}" in found.sentence.replace("The signal", "The Signal")
    assert f"({100 * largest:.0f}% of the contribution {verb}s it" in found.sentence
    told = [region for region in found.regions if region.part == found.named.name and way * (region.share.net or 0) > 0]
    assert any(region.where.split(" in ")[-1] in found.sentence for region in told)


def test_a_score_that_nothing_raises_is_not_explained_by_what_lowers_it() -> None:
    found = _summary(-np.ones((12, 200)), positive=True)
    assert found.sentence.startswith("On balance nothing in this tracing raises this score above where a flat line")
    assert "lowering it" in found.sentence


def test_the_rhythm_competes_with_the_waves() -> None:
    assert _summary(_two_signs(), 600.0, positive=True).sentence.startswith(
        "The RR intervals raise the score most (91%"
    )
    assert "T wave raises" in _summary(_two_signs(), -600.0, positive=True).sentence


BEAT = Beat(0.5, 0.30, 0.40, 0.45, 0.55, 0.65, 0.80)
NO_P = Beat(0.5, None, None, 0.45, 0.55, 0.65, 0.80)


@pytest.mark.parametrize(
    ("beats", "name", "gone"),
    [
        (Beats((NO_P, NO_P), atrial="none"), "Baseline between T and QRS (no P wave found)",
         {"TP segment", "PR segment"}),
        (Beats((BEAT, BEAT), atrial="unsure"), "Baseline between T and QRS (P wave not sure)",
         {"P wave", "TP segment"}),
        (Beats((BEAT, BEAT), atrial="dissociated"), "Baseline between T and QRS (P waves independent of QRS)",
         {"PR segment", "TP segment"}),
        (Beats((BEAT, BEAT), confidence={"T": 0.3}), "Signal from QRS to the next P wave (T wave not sure)",
         {"T wave", "ST segment"}),
        (Beats((BEAT, BEAT), confidence={"QRS": 0.4}), "Signal (QRS complexes not sure, 40%)",
         {"QRS complex", "P wave"}),
    ],
)  # fmt: skip
def test_waves_that_are_not_sure_go_without_their_names(beats: Beats, name: str, gone: set[str]) -> None:
    found = _summary(np.ones((12, 100)), positive=True, beats=beats)
    names = {part.name for part in found.parts}
    assert name in names
    assert not names & gone
    assert sum(part.share.total for part in found.parts) == pytest.approx(1)
    segments: set[Segment | str] = {s for stretch in stretches(beats) for s in stretch.segments}
    assert segments == {*SEGMENTS, ""}
