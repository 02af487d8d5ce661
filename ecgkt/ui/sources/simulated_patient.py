"""Whose ECG is changed: the patient of an example, or one drawn for this page. The choice stands in the address."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ecgkt.datasets.collection import Collection
from ecgkt.simulation.what_if import Subject, find, index_of, plain
from ecgkt.ui import address, keys, session
from ecgkt.ui.session import Opened
from ecgkt.ui.sources import examples

PAGE = "pages/what_if.py"
SEED = 1  # of the patients drawn for this page
BEGIN, DRAWN = "plain", "drawn"  # what stands in the list and in the address beside the keys of examples
WORDS = "Somebody without a known condition"
ROUNDED = 0.003  # mV: a record's samples are whole steps of 5 uV


def offer(opened: Opened) -> None:
    """On the reading page: a button that leads here with the patient of a simulated example."""
    if opened.entry is None or not opened.shipped or not opened.simulated:
        return
    if st.button("What if this patient's labs or conditions were different?", key="what_if_offer"):
        st.session_state[keys.WHAT_IF] = opened.entry.key
        st.switch_page(PAGE)


def choose() -> tuple[Subject, str]:
    """(the ECG to be changed, a name for it that no other has)."""
    collection = session.examples()
    names = examples.names(None)
    entries = {e.key: e for e in collection.entries if e.simulated and collection.drawn_from(e.key)}
    listed = [BEGIN, DRAWN, *entries]
    wanted = address.asked(keys.WHAT_IF) or st.session_state.get(keys.WHAT_IF, "")
    st.session_state[keys.WHAT_IF_PICK] = wanted if wanted in listed else BEGIN
    place, button = st.columns([5, 1.4], vertical_alignment="bottom", gap="small")
    number = st.session_state.setdefault(keys.WHAT_IF_NUMBER, 0)

    def words(key: str) -> str:
        if key == DRAWN:
            return f"Simulated patient drawn at random, number {number + 1}"
        return f"Simulated: {WORDS.lower()}" if key == BEGIN else examples.line(entries[key], names)

    chosen = place.selectbox(
        "Simulated patient", listed, format_func=words, key=keys.WHAT_IF_PICK, on_change=_picked,
        label_visibility="collapsed",
    )  # fmt: skip
    button.button("Draw another", on_click=_draw_another, width="stretch", help="A patient of the simulator, at random")
    st.session_state[keys.WHAT_IF] = chosen
    address.write(patient=chosen)
    if chosen in entries:
        subject = of_example(collection, chosen)
        if subject is not None:
            return subject, chosen
        st.info(
            "Today's simulator draws another tracing for this patient than the one among the examples, which was "
            f"drawn by an earlier version. Shown instead: {WORDS.lower()}."
        )
    if chosen == DRAWN:
        return find(SEED, number), f"{DRAWN}-{number}"
    return plain(SEED), BEGIN


def of_example(collection: Collection, key: str) -> Subject | None:
    """The patient of an example as the simulator draws it; None where that is another tracing than the example's."""
    origin = collection.drawn_from(key)
    if origin is None:
        return None
    seed, study = origin
    try:
        subject = find(seed, index_of(study), study)
    except ValueError:
        return None
    recorded, drawn = collection.read(key).signal, subject.tracing().signal
    same = recorded.shape == drawn.shape and float(np.abs(recorded - drawn).max()) < ROUNDED
    return subject if same else None


def _picked() -> None:
    st.session_state[keys.WHAT_IF] = st.session_state[keys.WHAT_IF_PICK]


def _draw_another() -> None:
    st.session_state[keys.WHAT_IF] = DRAWN
    st.session_state[keys.WHAT_IF_NUMBER] = int(np.random.default_rng().integers(100_000))
