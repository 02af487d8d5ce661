"""What one score rests on, in words and numbers: which leads, which waves, and how far the score can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.prediction import Score
from ecgkt.relevance.summary import ELSEWHERE, RHYTHM, WAVE_NAMES, RelevanceSummary, Share
from ecgkt.results import numbers
from ecgkt.ui.reading import scores
from ecgkt.ui.widgets import html

if TYPE_CHECKING:
    from ecgkt.model.model import Model


def headline(score: Score, found: RelevanceSummary) -> None:
    """The chosen label, its probability, and the sentence that names leads and waves."""
    side = "above" if score.positive else "below"
    kind = ", predicted from the ECG, not measured" if score.label.head == "labs" else ""
    html.text(
        f"{score.label.name}{kind}: {numbers.percent(score.probability)}, {side} its threshold of "
        f"{numbers.percent(score.label.threshold)}. {found.sentence}",
        "lead-in",
    )


def tables(score: Score, found: RelevanceSummary, model: Model) -> None:
    """Relevance by region, lead and wave, then the facts of the label."""
    regions = [(region.where, region.share) for region in found.regions]
    if found.rest.total:
        regions.append(("Everything else", found.rest))
    _shares("Where", regions, found.signed, "What contributes to the score, largest first", in_words=True)
    waves: dict[str, Share] = {WAVE_NAMES[segment]: share for segment, share in found.by_wave.items()}
    waves |= {name: share for name, share in ((ELSEWHERE, found.elsewhere), (RHYTHM, found.rhythm)) if share.total}
    left, right = st.columns(2, gap="large")
    with left:
        _shares("Lead", list(found.by_lead.items()), found.signed, "Contribution to the score by lead")
    with right:
        _shares("Wave", list(waves.items()), found.signed, "Contribution to the score by wave")
        html.text(f"{scores.facts(score)} Model {model.name}, {model.sha256[:12]}.")


def _shares(what: str, shares: Sequence[tuple[str, Share]], signed: bool, caption: str, in_words: bool = False) -> None:
    """A row a share, its bar to the right of the middle where it raises the score and to the left where it lowers it.

    in_words: says the direction too, for those who cannot see the bars.
    """
    largest = max((share.total for _, share in shares), default=0.0) or 1.0
    header = [what, "Share", "Lowers, raises" if signed else ""]
    rows: list[list[str]] = []
    for name, share in shares:
        bar = html.signed_bar(share.lowers / largest, share.raises / largest) if signed else html.bar(share.total)
        rows.append([name, numbers.percent(share.total), html.Raw(bar)])
        if in_words and signed:
            rows[-1].append(share.direction.capitalize())
    if in_words and signed:
        header.append("Effect")
    widths = () if not in_words else (44, 10, 22, 24) if signed else (50, 10, 40)
    html.table(header, rows, caption, numbers=(1,), widths=widths)
