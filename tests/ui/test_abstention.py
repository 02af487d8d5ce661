"""Verdicts, risk-coverage curves and novelty as the pages show them."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.prediction import HEADS, Label, Score
from ecgkt.results import numbers
from ecgkt.results.metrics import Metrics
from ecgkt.results.trust_metrics import Conformal, JunkNovelty, Novelty, Order, SourceNovelty
from ecgkt.ui.reading import scores
from ecgkt.verdict import Guarantee
from tests import made_up_metrics
from training.calibrate.conformal import coverage
from training.evaluate.risk_coverage import entropy, figures
from training.metrics import Array


def section() -> None:
    import streamlit as st

    from ecgkt.ui.results import abstention

    abstention.section(st.session_state["metrics"])


@pytest.fixture
def metrics() -> Metrics:
    rng = np.random.default_rng(0)
    p = rng.random((300, 2))
    truth = (rng.random((300, 2)) < p).astype(float)
    promised = {"A": Guarantee(0.1, 0.2, 0.8, "real", 30, 30), "B": Guarantee(0.1, None, None, "real", 3, 30)}
    resamples = rng.multinomial(300, np.full(300, 1 / 300), size=20).astype(float)
    orders: dict[Order, Array] = {"confidence": entropy(p), "novelty": rng.random(300)}
    risk = figures(["A", "B"], p, truth, np.full(2, 0.5), orders, resamples)
    verdicts = coverage(promised, ["A", "B"], p, truth, np.zeros(300, bool), 0)
    return msgspec.structs.replace(
        made_up_metrics.bare({head: () for head in HEADS}),
        conformal=Conformal(alpha=0.1, heads={"findings": verdicts}),
        risk_coverage={"findings": {"real": risk}},
        novelty=Novelty(
            false_alarms_allowed=0.01,
            test={"ptbxl": SourceNovelty(simulated=False, ecgs=160, near=0.0125, far=0.0)},
            junk=[JunkNovelty(kind="white noise", seen=True, ecgs=300, near=1.0, far=0.75)],
        ),
    )


def test_figures_are_in_words_and_in_a_chart_with_its_table(metrics: Metrics) -> None:
    page = AppTest.from_function(section, default_timeout=60)
    page.session_state["metrics"] = metrics
    page.run()
    assert not page.exception
    text = " ".join(element.proto.body for element in page.get("html"))
    assert "1 real, 0 simulated, 1 none" in text
    assert "at most 10% are called absent" in text
    assert "ptbxl, real test ECGs" in text
    assert "75.0%" in text
    risk = metrics.risk_coverage["findings"]["real"].orders["confidence"].brier[-1]
    assert risk is not None
    assert numbers.interval(risk) in text
    assert len(page.get("plotly_chart")) == 1


def test_a_bundle_without_these_figures_shows_nothing() -> None:
    page = AppTest.from_function(section, default_timeout=60)
    page.session_state["metrics"] = made_up_metrics.bare({head: () for head in HEADS})
    page.run()
    assert not page.exception
    assert not page.get("html")


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        (Guarantee(0.1, 0.2, 0.4, "simulated", 30, 90), "Verdict: present"),
        (Guarantee(0.1, 0.2, 0.7, "real", 30, 90), "Verdict: uncertain"),
        (Guarantee(0.1, None, None, "real", 3, 90), "No verdict: only 3 real validation patients with it"),
    ],
)
def test_a_row_says_its_verdict_and_who_it_rests_on(promise: Guarantee, words: str) -> None:
    label = Label("findings", "AFIB", "", "", 0.1, 0.5, "", None, 0, "real", guarantee=promise)
    facts = scores.facts(Score(label, 0.6))
    assert words in facts
    assert promise.population in facts


def test_rows_go_by_the_threshold_and_not_by_what_is_common() -> None:
    def score(code: str, probability: float, threshold: float) -> Score:
        return Score(Label("labs", code, "", "", 0.1, threshold, "", None, 0, "real"), probability)

    common, rare, near, above = score("c", 0.6, 0.9), score("r", 0.02, 0.5), score("n", 0.1, 0.11), score("a", 0.2, 0.1)
    most = score("m", 0.7, 0.7)
    ordered = [each.label.code for each in scores.by_threshold([common, rare, near, above, most])]
    assert ordered == ["m", "a", "n", "c", "r"]
