"""What one score rests on, in words and numbers: which leads, which waves, and how far the score can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.criteria.check import Checked
from ecgkt.prediction import Score
from ecgkt.relevance.shares import Share
from ecgkt.relevance.summary import RelevanceSummary
from ecgkt.results import numbers
from ecgkt.ui.reading import scores
from ecgkt.ui.widgets import html

if TYPE_CHECKING:
    from ecgkt.model.model import Model


def headline(score: Score, found: RelevanceSummary, checked: Checked | None) -> None:
    """The chosen label, its probability, the sentence that names wave and leads; its criterion, if there is one, beside
    what was measured, and a contradiction between score and measurement."""
    side = "above" if score.positive else "below"
    kind = ", predicted from the ECG, not measured" if score.label.head == "labs" else ""
    near = numbers.percent(score.probability) == numbers.percent(score.label.threshold)
    probability, threshold = (numbers.percent(p, int(near)) for p in (score.probability, score.label.threshold))
    html.text(
        f"{score.label.name}{kind}: {probability}, {side} its threshold of {threshold}. {found.sentence}",
        "lead-in",
        "status",
    )
    if checked is not None:
        html.text(f"{checked.words} Source: {checked.criterion.source}.", "criterion")
        disagreement = checked.disagreement(score.positive)
        if disagreement:
            html.text(disagreement, "disagrees")


def tables(score: Score, found: RelevanceSummary, model: Model) -> None:
    """Relevance by region, lead and wave, then the facts of the label."""
    regions = [(region.where, region.share) for region in found.regions]
    if found.rest.total:
        regions.append(("Everything else", found.rest))
    _shares("Where", regions, found.signed, "What contributes to the score, largest first", in_words=True)
    waves = [(part.name, part.share) for part in found.parts]
    left, right = st.columns(2, gap="large")
    with left:
        _shares("Lead", list(found.by_lead.items()), found.signed, "Contribution to the score by lead")
    with right:
        _shares("Wave", waves, found.signed, "Contribution to the score by wave")
        html.text(f"{scores.facts(score)} Model {model.name}, {model.sha256[:12]}.")


def _shares(what: str, shares: Sequence[tuple[str, Share]], signed: bool, caption: str, in_words: bool = False) -> None:
    """A row a share, its bar to the right of the middle where it raises the score and to the left where it lowers it.

    in_words: says the direction too, for those who cannot see the bars.
    """
    largest = max((share.total for _, share in shares), default=0.0) or 1.0
    sides = ["Lowers", "Raises"] if signed and not in_words else []
    header = [what, "Share", *sides, "Lowers, raises" if signed else ""]
    rows: list[list[str]] = []
    for name, share in shares:
        bar = html.signed_bar(share.lowers / largest, share.raises / largest) if signed else html.bar(share.total)
        both = [numbers.percent(share.lowers), numbers.percent(share.raises)] if sides else []
        rows.append([name, numbers.percent(share.total), *both, html.Raw(bar)])
        if in_words and signed:
            rows[-1].append(share.direction.capitalize())
    if in_words and signed:
        header.append("Effect")
    widths = () if not in_words else (44, 10, 22, 24) if signed else (50, 10, 40)
    html.table(header, rows, caption, numbers=(1, 2, 3) if sides else (1,), widths=widths)
