"""The truth that only a simulator knows: which leads and waves a cause changed, and what stays without it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from ecgkt.simulation.tracing import Streams, chances, conducted, draw_conduction, draw_tracing
from ecgkt.simulation.truth import changes, counterfactual, without
from ecgkt.simulation.visits import Planned, Visit, visits
from training.simulation.layout import TRUTH

pytestmark = pytest.mark.slow

SEED = 4
COLUMNS = TRUTH["changes"][1:]


def _ecgs(cause: str) -> Iterator[tuple[Visit, Planned]]:
    """ECGs of patients in whom `cause` is at work."""
    for index in range(3000):
        for visit in visits(SEED, index):
            for planned in visit.ecgs:
                if cause in visit.stay.active or any(source == cause for source, *_ in planned.drawn.applied):
                    yield visit, planned


def _changes(visit: Visit, planned: Planned) -> dict[str, dict[str, float]]:
    tracing = draw_tracing(planned.streams, visit.patient, visit.stay, visit.body, planned.drawn)
    rows = changes(planned.streams, visit.stay, visit.body, planned.drawn, tracing)
    return {str(row[0]): dict(zip(COLUMNS[1:], row[1:], strict=True)) for row in rows}


def test_streams_do_not_depend_on_one_another() -> None:
    once, again = Streams(1, 2, 3), Streams(1, 2, 3)
    first = once("rhythm").random(5)
    once("noise").random(1000)
    assert np.array_equal(again("rhythm").random(5), first)
    assert not np.array_equal(again("noise").random(5), first)
    assert not np.array_equal(Streams(1, 2, 4)("rhythm").random(5), first)


def test_low_calcium_lengthens_qt_and_leaves_p_and_qrs_alone() -> None:
    longest = 0.0
    for visit, planned in islice(_ecgs("calcium"), 60):
        found = _changes(visit, planned).get("calcium")
        if found is None:
            continue
        sign = 1 if visit.labs["calcium"] < 9 else -1
        assert sign * found["qt_ms"] > 0
        assert found["qrs_ms"] == found["rate"] == 0
        assert max(size for name, size in found.items() if name.startswith(("P_", "QRS_"))) <= 8  # uV, the flank of ST
        longest = max(longest, sign * found["qt_ms"])
    assert longest > 10


def test_an_inferior_infarction_changes_inferior_qrs_most() -> None:
    seen = 0
    for visit, planned in islice(_ecgs("stemi_inferior"), 12):
        found = _changes(visit, planned).get("stemi_inferior")
        tracing = draw_tracing(planned.streams, visit.patient, visit.stay, visit.body, planned.drawn)
        if found is None or tracing.fault or tracing.conduction.block:
            continue
        st = {name.removeprefix("ST_"): size for name, size in found.items() if name.startswith("ST_")}
        if max(st.values()) < 30:
            continue  # silent in this patient
        assert max(st, key=lambda lead: st[lead]) in ("II", "III", "aVF", "aVL")
        assert st["III"] > st["V1"]
        seen += 1
    assert seen > 3


def test_null_labs_change_nothing() -> None:
    for visit, planned in islice(_ecgs("potassium"), 40):
        assert not {"mcv", "platelets", "alt"} & _changes(visit, planned).keys()


def test_taking_a_cause_away_keeps_every_other_effect() -> None:
    visit, planned = next((v, p) for v, p in _ecgs("potassium") if len({s for s, *_ in p.drawn.applied}) > 3)
    chance = chances(planned.streams("conduction"))
    spared, _, m = without(chance, visit.stay, planned.drawn, "potassium")
    assert m.applied == [effect for effect in planned.drawn.applied if effect[0] != "potassium"]
    assert spared.active == visit.stay.active
    same, _, full = without(chance, visit.stay, planned.drawn, "nothing at all")
    assert same.active == visit.stay.active
    assert full.values == conducted(chance, draw_conduction(chance, visit.stay), planned.drawn).values


def test_the_counterfactual_tracing_differs_only_by_its_cause() -> None:
    visit, planned = next(
        (v, p)
        for v, p in _ecgs("old_infarction")
        if {name.partition(".")[0] for source, name, _ in p.drawn.applied if source == "old_infarction"} >= {"q_wave"}
    )
    index = visit.patient.index
    fact, spared = counterfactual(SEED, index, planned.study, "old_infarction")
    tracing = draw_tracing(planned.streams, visit.patient, visit.stay, visit.body, planned.drawn)
    assert np.array_equal(fact.signal, tracing.signal)
    assert np.array_equal(fact.rhythm.qrs, spared.rhythm.qrs)  # the same heart beats at the same moments
    assert np.abs(fact.signal - spared.signal).max() > 0.05
    before_p = np.abs(fact.signal - spared.signal)[:, int((fact.rhythm.qrs[fact.rhythm.qrs > 1][0] - 0.03) * 500)]
    assert before_p.max() < 2e-3  # noise and atria are the same numbers
    same, again = counterfactual(SEED, index, planned.study, "platelets")
    assert np.array_equal(same.signal, again.signal)


def test_a_left_bundle_branch_block_is_a_cause_of_its_wide_qrs() -> None:
    widened = [
        found["lbbb"]["qrs_ms"]
        for visit, planned in islice(_ecgs("lbbb"), 45)
        if "pacemaker" not in visit.stay.active and "lbbb" in (found := _changes(visit, planned))
    ]
    assert len(widened) > 15
    assert min(widened) > 10
    assert np.median(widened) == pytest.approx(55, abs=20)
