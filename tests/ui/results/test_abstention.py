"""Conformal limits, risk-coverage curves and novelty as the Model page shows them."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.prediction import HEADS
from ecgkt.results import numbers
from ecgkt.results.metrics import Metrics
from ecgkt.results.trust_metrics import Conformal, JunkNovelty, Novelty, Order, SourceNovelty
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
