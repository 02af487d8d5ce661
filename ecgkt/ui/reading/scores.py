"""Ranked scores as rows to press: name, probability, a bar with the threshold marked. Pressing one explains it.

Above the threshold first, by probability; then by how near a score comes to its threshold. By probability alone what is
common in everybody would lead a list on which nothing stands out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import streamlit as st

from ecgkt.interpretation import interpret
from ecgkt.interpretation.interpret import Interpretation
from ecgkt.prediction import HEADS, TITLES, Head, Label, Prediction, Score
from ecgkt.results import numbers, performance
from ecgkt.ui import address, keys
from ecgkt.ui.widgets import html
from ecgkt.ui.widgets.html import CHOSEN
from ecgkt.ui.widgets.theme import palette

KEY = f"{html.bar(0.6, 0.35)}<span>Bar: probability. Tick: the threshold from which a score counts as positive."
SHOWN: dict[Head, int] = {"findings": 5, "diagnoses": 5, "labs": 7}


def chosen(prediction: Prediction, told: Interpretation, ecg: str) -> Label:
    """The label pressed or linked to; else what is to be read first.

    A label pressed on another ECG stays chosen where it is above its threshold, so that ECGs can be compared by it, and
    is forgotten where it is not. ecg: key of the ECG shown.
    """
    every = {score.label.code: score for head in HEADS for score in prediction.scores(head)}
    linked = address.asked(keys.TARGET)
    kept = every.get(st.session_state.get(keys.TARGET, ""))
    if linked in every:
        st.session_state[keys.TARGET] = linked
    elif st.session_state.get(keys.TARGET_ON) != ecg and not (kept and kept.positive):
        st.session_state.pop(keys.TARGET, None)
    st.session_state[keys.TARGET_ON] = ecg
    wanted = every.get(st.session_state.get(keys.TARGET, ""))
    return wanted.label if wanted else opening(prediction, told)


def opening(prediction: Prediction, told: Interpretation) -> Label:
    """`interpret.opening`'s label. Raises ValueError when the model abstained."""
    label = interpret.opening(prediction, told)
    if label is None:
        raise ValueError("The model gives no result for this tracing.")
    return label


def note(head: Head, labels: Sequence[Label]) -> str:
    """What a head is about, and that it was learned from simulated patients where it was from no others."""
    simulated = all(label.learned_from == "simulated" for label in labels)
    return TITLES[head][1] + ("; learned from simulated patients" if simulated else "")


def ranked(prediction: Prediction, label: Label, beside: Mapping[str, str]) -> None:
    """The first few of each head; `beside` has a few quiet words for some codes, of what the record says."""
    st.html(f'<div class="quiet key">{KEY}{" Small print: the record." if beside else ""}</span></div>')
    with st.container(key="rows"):
        for head in HEADS:
            scores = by_threshold(prediction.scores(head))[: SHOWN[head]]
            if not scores:
                continue
            if label.head == head and label.code not in [score.label.code for score in scores]:
                scores[-1:] = [score for score in prediction.scores(head) if score.label.code == label.code]
            words = note(head, [score.label for score in scores])
            if not any(score.positive for score in scores):
                words = f"none above threshold; {words}"
            title = f"{TITLES[head][0]}<span>{words}</span>"
            with st.container(key=f"rows-{head}"):
                st.html(f'<div class="rows-title" role="heading" aria-level="2">{title}</div>')
                _rows(scores, label, beside)
                shown = {score.label.code for score in scores}
                more = [s for s in prediction.scores(head) if s.positive and s.label.code not in shown]
                if more:
                    with st.expander(f"{len(more)} more above threshold"):
                        _rows(more, label, beside)


def by_threshold(scores: Sequence[Score]) -> list[Score]:
    """Above the threshold first, by probability; the rest by their share of it."""
    return sorted(scores, key=lambda s: (0, -s.probability) if s.positive else (1, -s.probability / s.label.threshold))


def _rows(scores: Sequence[Score], chosen_label: Label, beside: Mapping[str, str]) -> None:
    style = ""
    for score in scores:
        # Streamlit makes a CSS class of a key; codes such as LAO/LAE hold what a class cannot.
        label, key = score.label, re.sub(r"[^A-Za-z0-9_-]", "-", f"row-{score.label.head}-{score.label.code}")
        words = html.literal(label.name)
        if label.code in beside:
            words += f" *{html.literal(beside[label.code])}*"
        is_chosen = label.code == chosen_label.code
        st.button(
            f"{words} **{numbers.percent(score.probability)}**{CHOSEN if is_chosen else ''}",
            key=key,
            type="tertiary",
            width="stretch",
            on_click=_choose,
            args=(label.code,),
        )
        style += _bar(key, score, is_chosen)
    st.html(f"<style>{style}</style>")


def _choose(code: str) -> None:
    st.session_state[keys.TARGET] = code


def _bar(key: str, score: Score, is_chosen: bool) -> str:
    """The bar and the threshold mark as background layers of the row, along its lower edge."""
    p = palette()
    share, mark = 100 * score.probability, 100 * score.label.threshold
    color = p.above if score.positive else p.bar
    # A percentage places a background of width w at p * (100% - w), so the 2 px mark stays inside at 0 and at 100%.
    layers = (
        f"linear-gradient({p.text},{p.text}) {mark:.1f}% 100%/2px 9px no-repeat,"
        f"linear-gradient({color},{color}) 0 calc(100% - 2px)/{share:.1f}% 4px no-repeat,"
        f"linear-gradient({p.line},{p.line}) 0 calc(100% - 2px)/100% 4px no-repeat"
    )
    wash = f";background-color:{p.wash};box-shadow:inset 3px 0 0 {p.accent}" if is_chosen else ""
    return f".st-key-{key} button{{background:{layers}{wash}}}.st-key-{key} button p{{color:{p.text}}}"


def facts(score: Score) -> str:
    """All that is needed to judge one probability, in a sentence or two."""
    label = score.label
    return (
        f"Calibrated probability {numbers.percent(score.probability, 1)}, "
        f"{'at or above' if score.positive else 'below'} the threshold of {numbers.percent(label.threshold, 1)} "
        f"({label.threshold_source}). {verdict(score)} Prevalence in training {numbers.percent(label.prevalence, 1)}. "
        f"{auroc(label)} Learned from {label.learned_from} patients."
    )


def verdict(score: Score) -> str:
    """Present, absent or uncertain, and what that rests on."""
    promise = score.label.guarantee
    if promise is None:
        return ""
    with_it, without = numbers.count(promise.positives), numbers.count(promise.negatives)
    patients = f"{with_it} {promise.population} validation patients with it and {without} without"
    if score.verdict is None:
        return f"No verdict: only {patients}."
    share = numbers.percent(promise.alpha)
    return (
        f"Verdict: {score.verdict}. By design at most {share} of patients with the label are called absent and at most "
        f"{share} of those without it present (limits from {patients})."
    )


def auroc(label: Label) -> str:
    if label.auroc is None:
        return f"Test AUROC not estimable ({label.test_positives} positives)."
    value, low, high = label.auroc
    where = f" {label.measured_on} test ECGs" if label.measured_on else ""
    return f"Test AUROC {value:.2f} (95% interval {low:.2f} to {high:.2f}, {label.test_positives} positive{where})."


def every(prediction: Prediction, labels: Mapping[Head, Sequence[Label]]) -> None:
    """All scores of all heads, as a table, and what is left out of it; labels: all that the model has."""
    scores = [score for head in HEADS for score in prediction.scores(head)]
    st.dataframe(
        {
            "": [TITLES[score.label.head][0] for score in scores],
            "Code": [score.label.code for score in scores],
            "Name": [score.label.name for score in scores],
            "Probability": [score.probability for score in scores],
            "Verdict": [score.verdict or "–" for score in scores],
            "Threshold": [score.label.threshold for score in scores],
            "Prevalence": [score.label.prevalence for score in scores],
            "Test AUROC": [score.label.auroc[0] if score.label.auroc else None for score in scores],
        },
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("Probability", "Threshold", "Prevalence", "Test AUROC")
        },
        hide_index=True,
        height=320,
        alt="Every score of this ECG with its threshold, prevalence and test AUROC",
    )
    html.text(performance.silent(label for of_head in labels.values() for label in of_head))
