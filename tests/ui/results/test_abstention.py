"""Conformal limits, risk-coverage curves and novelty as the Model page shows them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ecgkt.verdict import Guarantee
from training.calibrate.conformal import coverage
from training.evaluate.risk_coverage import entropy, figures


def section() -> None:
    import streamlit as st

    from ecgkt.ui.results import abstention

    abstention.section(st.session_state["metrics"])


@pytest.fixture
def metrics() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    p = rng.random((300, 2))
    truth = (rng.random((300, 2)) < p).astype(float)
    promised = {"A": Guarantee(0.1, 0.2, 0.8, "real", 30, 30), "B": Guarantee(0.1, None, None, "real", 3, 30)}
    resamples = rng.multinomial(300, np.full(300, 1 / 300), size=20).astype(float)
    orders = {"confidence": entropy(p), "novelty": rng.random(300)}
    risk = figures(["A", "B"], p, truth, np.full(2, 0.5), orders, resamples)
    return {
        "conformal": {
            "alpha": 0.1,
            "heads": {"findings": coverage(promised, ["A", "B"], p, truth, np.zeros(300, bool), 0)},
        },
        "risk_coverage": {"findings": {"real": risk}},
        "novelty": {
            "test": {"ptbxl": {"simulated": False, "ecgs": 160, "near": 0.0125, "far": 0.0}},
            "junk": [{"kind": "white noise", "seen": True, "ecgs": 300, "near": 1.0, "far": 0.75}],
        },
    }


def test_figures_are_in_words_and_in_a_chart_with_its_table(metrics: dict[str, Any]) -> None:
    page = AppTest.from_function(section, default_timeout=60)
    page.session_state["metrics"] = metrics
    page.run()
    assert not page.exception
    text = " ".join(element.proto.body for element in page.get("html"))
    assert "1 real, 0 simulated, 1 none" in text
    assert "at most 10 % are called absent" in text
    assert "ptbxl, real test ECGs" in text
    assert "75.0 %" in text
    risk = metrics["risk_coverage"]["findings"]["real"]["orders"]["confidence"]
    assert f"{risk['brier'][-1][0]:.3f}" in text
    assert len(page.get("plotly_chart")) == 1


def test_a_bundle_without_these_figures_shows_nothing() -> None:
    page = AppTest.from_function(section, default_timeout=60)
    page.session_state["metrics"] = {"models": {}}
    page.run()
    assert not page.exception
    assert not page.get("html")
