"""What one score rests on, in words and numbers: which leads, which waves, and how far the score can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

from ecgkt.explanation import Attribution, Score
from ecgkt.model import Model
from ecgkt.relevance import RelevanceSummary, summarise
from ecgkt.ui import html, scores
from ecgkt.waves import Beats

S = TypeVar("S", bound=str)


def summary(beats: Beats, attribution: Attribution) -> RelevanceSummary:
    return summarise(attribution.relevance, attribution.rate, beats)


def headline(score: Score, found: RelevanceSummary) -> None:
    """The chosen label, its probability, and the sentence that names leads and waves."""
    side = "above" if score.positive else "below"
    kind = ", predicted from the ECG, not measured" if score.label.head == "labs" else ""
    html.text(
        f"{score.label.name}{kind}: {html.percent(score.probability)}, {side} its threshold of "
        f"{html.percent(score.label.threshold)}. {found.sentence}",
        "lead-in",
    )


def tables(score: Score, found: RelevanceSummary, model: Model) -> None:
    """Relevance by lead and by wave, then the facts of the label."""
    leads, waves = st.columns(2, gap="large")
    with leads:
        _shares("Lead", found.by_lead)
    with waves:
        _shares("Wave", found.by_wave)
        html.text(f"{scores.facts(score)} Model {model.name}, {model.sha256[:12]}.")


def _shares(what: str, shares: Mapping[S, float]) -> None:
    rows = [(name, html.percent(share), html.Raw(html.bar(share))) for name, share in shares.items()]
    html.table((what, "Share", ""), rows, f"Share of the relevance by {what.lower()}", numbers=(1,))
