"""Sliders for what can be set in numbers, switches for conditions. They begin where the patient stands."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ecgkt.results import numbers
from ecgkt.simulation.levers import CONDITIONS, LEVERS, Lever
from ecgkt.simulation.what_if import MARKERS, RATE_OF_HEART, Changed, Subject
from ecgkt.ui import keys

AVERAGE = (
    "Simulated patients differ in how strongly their ECG reacts to a cause, and in some it does not react at all. With "
    "this on, every effect has its average size."
)
SEVERITY = 0.6  # of a condition that is switched on, until another is chosen
POINTS = 60  # places of a slider that runs in equal ratios
SET_BY_ITSELF = ("svt", "vt", "aflutter", "pacemaker", "avb3")  # these have a ventricular rate of their own


def controls(subject: Subject, name: str) -> Changed:
    """What is asked of the patient `name`: nothing at first."""
    buttons = st.container(horizontal=True, vertical_alignment="center")
    sliders, switches = st.container(), st.container()
    with buttons:
        average = st.toggle("Average reactions", key=_key("average", name), help=AVERAGE)
        st.button("Reset", key="what_if_reset", on_click=_reset, args=(name,), help="Back to this patient as drawn")
    with switches:
        conditions = _conditions(subject, name)
    changed = Changed(conditions=conditions, average=average)
    with sliders:
        for lever in LEVERS:
            if lever.key != RATE_OF_HEART:
                value = _slider(lever, subject.value(lever.key), name)
                changed = changed if value is None else changed.with_value(lever.key, value)
        return _rate(subject, changed, name)


def _key(part: str, name: str) -> str:
    """Of a widget: new after each reset, since a widget keeps where it stands as long as it keeps its key."""
    return f"what_if-{part}-{name}-{st.session_state.get(_resets(name), 0)}"


def _resets(name: str) -> str:
    return f"what_if_resets-{name}"


def _reset(name: str) -> None:
    st.session_state[_resets(name)] = st.session_state.get(_resets(name), 0) + 1
    st.session_state.pop(keys.WHAT_IF_LEVER, None)


def _moved(lever: str) -> None:
    st.session_state[keys.WHAT_IF_LEVER] = lever


def _slider(lever: Lever, own: float, name: str) -> float | None:
    """Where the slider was moved to; None while it stands at the patient's own value."""
    begin, key = lever.nearest(own), _key(lever.key, name)
    if lever.step:
        words = f"{lever.name}, {lever.unit}"
        digits = "%d" if lever.step >= 1 else "%.1f"
        value = st.slider(
            words, lever.low, lever.high, begin, lever.step, digits, key, on_change=_moved, args=(lever.key,),
            help=_explained(lever),
        )  # fmt: skip
    else:
        places = sorted({*(float(f"{place:.2g}") for place in lever.values(POINTS)), begin})
        value = st.select_slider(
            f"{lever.name}, {lever.unit}", places, begin, key=key, format_func=numbers.measured, on_change=_moved,
            args=(lever.key,), help=_explained(lever),
        )  # fmt: skip
    return None if value == begin else float(value)


def _explained(lever: Lever) -> str | None:
    if lever.key == "tsh":
        return (
            "TSH does nothing to the heart by itself: the slider sets how severe the hypothyroidism or hyperthyroidism "
            "is that would bring this patient's TSH to the value."
        )
    if lever.key in MARKERS:
        return (
            "Troponin does nothing to the heart by itself: the slider sets how severe the infarction is (NSTEMI, or "
            "the STEMI that is switched on) that would bring this patient's troponin to the value."
        )
    return None


def _rate(subject: Subject, changed: Changed, name: str) -> Changed:
    """The rate last of all: untouched, it follows from everything else."""
    lever = next(lever for lever in LEVERS if lever.key == RATE_OF_HEART)
    follows, key, touched = subject.morphology(changed)["rate"], _key("rate", name), _key("rate_touched", name)
    fixed = [CONDITIONS[c] for c in SET_BY_ITSELF if c in subject.state(changed).active]
    if not st.session_state.get(touched) or fixed:
        st.session_state[key] = lever.nearest(follows)
    value = st.slider(
        f"{lever.name}, {lever.unit}", lever.low, lever.high, step=lever.step, format="%d", key=key,
        disabled=bool(fixed), on_change=_rate_moved, args=(touched,),
        help="Follows from the causes until it is moved. "
        + (f"{' and '.join(fixed)} may have a rate of their own, so it cannot be set." if fixed else ""),
    )  # fmt: skip
    return changed.with_value(RATE_OF_HEART, value) if st.session_state.get(touched) and not fixed else changed


def _rate_moved(touched: str) -> None:
    st.session_state[touched] = True
    _moved(RATE_OF_HEART)


def _conditions(subject: Subject, name: str) -> Mapping[str, float | None]:
    """Those that were switched on (with the severity chosen) or off (None)."""
    own = [condition for condition in CONDITIONS if condition in subject.active]
    chosen = st.pills(
        "Conditions",
        list(CONDITIONS),
        selection_mode="multi",
        default=own,
        format_func=CONDITIONS.__getitem__,
        key=_key("conditions", name),
        help="Of blocks and pacing that cannot show together, pacing goes before LBBB and LBBB before RBBB.",
    )
    added = [condition for condition in chosen if condition not in own]
    severity = SEVERITY
    if added:
        severity = st.slider("Severity of what was switched on", 0.1, 1.0, SEVERITY, 0.1, key=_key("severity", name))
    return {**dict.fromkeys(added, severity), **{c: None for c in own if c not in chosen}}
