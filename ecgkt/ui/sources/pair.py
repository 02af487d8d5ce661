"""Which two ECGs: two of a patient of the folder, whose choice stands in the address, or two files of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from ecgkt.datasets.collection import Collection, Entry
from ecgkt.serial import comparison
from ecgkt.ui import address, keys
from ecgkt.ui.session import Opened, collection_or_stop, is_own_folder, open_entry
from ecgkt.ui.sources import examples, uploads
from ecgkt.ui.widgets import html

if TYPE_CHECKING:
    from ecgkt.model.model import Model

PAGE = "pages/serial.py"
FOLDER, FILES = "Patients", "Your files"
LABELS = {"one": "First ECG (select all files of the record)", "other": "Second ECG (select all files of the record)"}
SLOTS = ("one", "other")  # before and now, until they are swapped
NOW = "other"


@dataclass(frozen=True)
class Pair:
    """hours: from `before` to `now`, negative when they are turned round; None where the time of one is not known."""

    before: Opened
    now: Opened
    hours: float | None = None


def choose(model: Model) -> Pair:
    """The two chosen; a sentence and no page as long as there are not two."""
    with st.container(key="serial-head"):
        title, source = st.columns([5, 2], vertical_alignment="center", gap="small")
    title.html('<div class="lead-in" role="heading" aria-level="2"><b>Two ECGs of one patient</b></div>')
    with source.container(horizontal_alignment="right"):
        kind = st.segmented_control(
            "ECGs of", (FOLDER, FILES), default=FOLDER, required=True, key=keys.SERIAL_FROM, persist_state="session",
            label_visibility="collapsed",
        )  # fmt: skip
    return _files() if kind == FILES else _of_patient(collection_or_stop(), model)


def offer(opened: Opened) -> None:
    """On the reading page: a button that leads here, with the nearest ECG of the same patient or with another file."""
    if opened.entry is None:
        if st.button("Compare with an earlier ECG", key="serial_offer"):
            keep(opened)
            st.switch_page(PAGE)
        return
    if not opened.others:
        return
    here, others = opened.entry, list(opened.others)
    earlier = _before(others, here)
    other = earlier[-1] if earlier else others[0]
    words, first, second = "another", other, here
    if earlier:
        words = "an earlier"
    elif here.hours is not None and other.hours is not None:
        words, first, second = "a later", here, other
    gap = "" if words == "another" else f", {comparison.apart((here.hours or 0) - (other.hours or 0))} apart"
    if st.button(f"Compare with {words} ECG of this patient{gap}", key="serial_offer"):
        _go(second.key, first.key)
        st.session_state[keys.SERIAL_FROM] = FOLDER
        st.switch_page(PAGE)


# ---- a folder -------------------------------------------------------------------------------------------------------


def _of_patient(collection: Collection, model: Model) -> Pair:
    several = [entry for entry in collection.entries if len(_others(collection, entry)) > 0]
    if not several:
        st.info("No patient in this folder has two ECGs. You can compare two files of your own instead.")
        st.stop()
    names = examples.names(model)
    listed = [entry.key for entry in several]
    current = address.asked(keys.ECG)
    current = current if current in listed else st.session_state.get(keys.EXAMPLE)
    if current not in listed:
        current = next((e.key for e in several if _before(_others(collection, e), e)), listed[0])
    now = collection.entry(current)
    others = _others(collection, now)
    wanted = address.asked(keys.EARLIER) or st.session_state.get(keys.SERIAL_BEFORE)
    usual = (_before(others, now) or others)[-1]
    before = next((entry for entry in others if entry.key == wanted), usual)

    with st.container(key="pair"):
        left, right, first, second, last = st.columns([1.4, 1.1, 4, 4, 1.1], vertical_alignment="bottom", gap="small")
    at = listed.index(current)
    for place, name, shortcut, to in ((left, "Previous", "P", at - 1), (right, "Next", "N", (at + 1) % len(listed))):
        place.button(name, key=f"serial_{name.lower()}", shortcut=shortcut, on_click=_go, args=(listed[to],),
                     width="stretch")  # fmt: skip
    st.session_state[keys.SERIAL_BEFORE_PICK], st.session_state[keys.SERIAL_NOW_PICK] = before.key, now.key
    second.selectbox(
        "Now",
        listed,
        key=keys.SERIAL_NOW_PICK,
        format_func=lambda key: f"Now: {examples.line(collection.entry(key), names)}",
        label_visibility="collapsed",
        on_change=lambda: _go(st.session_state[keys.SERIAL_NOW_PICK]),
    )
    first.selectbox(
        "Before",
        [entry.key for entry in others],
        key=keys.SERIAL_BEFORE_PICK,
        format_func=lambda key: f"Before: {_against(collection.entry(key), now, names)}",
        label_visibility="collapsed",
        on_change=lambda: _go(now.key, st.session_state[keys.SERIAL_BEFORE_PICK]),
    )
    last.button("Swap", key="serial_swap", on_click=_go, args=(before.key, now.key), width="stretch",
                help="Swaps the two ECGs, which reverses the sign of every change")  # fmt: skip
    st.session_state[keys.EXAMPLE], st.session_state[keys.SERIAL_BEFORE] = now.key, before.key
    if not is_own_folder():
        address.write(ecg=now.key, earlier=before.key)
    hours = None if now.hours is None or before.hours is None else now.hours - before.hours
    if now.patient is None:
        st.warning("This folder does not identify patients: make sure that both ECGs are of the same patient.")
    return Pair(open_entry(collection, before), open_entry(collection, now), hours)


def _others(collection: Collection, entry: Entry) -> list[Entry]:
    """What an entry can be compared with: its patient's others; where no patient is known of any, all the rest."""
    if entry.patient is None and all(each.patient is None for each in collection.entries):
        return [each for each in collection.entries if each != entry]
    return [each for each in collection.of_same_patient(entry.key) if each != entry]


def _before(others: list[Entry], entry: Entry) -> list[Entry]:
    """Those of `others` recorded before the entry; none where times are not known."""
    return [e for e in others if e.hours is not None and entry.hours is not None and e.hours < entry.hours]


def _against(other: Entry, entry: Entry, names: dict[str, str]) -> str:
    """A line of the list: how long before the ECG now, and what the record carries."""
    line = examples.line(other, names)
    if other.hours is None or entry.hours is None:
        return line
    side = "earlier" if other.hours <= entry.hours else "later"
    return f"{comparison.apart(entry.hours - other.hours)} {side}, {line}"


def _go(now: str, before: str | None = None) -> None:
    st.session_state[keys.EXAMPLE] = now
    st.session_state.pop(keys.SERIAL_BEFORE, None)
    if before is not None:
        st.session_state[keys.SERIAL_BEFORE] = before


# ---- files of one's own ---------------------------------------------------------------------------------------------


def keep(opened: Opened) -> None:
    """Hold an ECG of the Upload page as the one now, to be compared with another file."""
    st.session_state[keys.SERIAL_FILES] = {NOW: opened}
    st.session_state[keys.SERIAL_ORDER] = SLOTS
    st.session_state[keys.SERIAL_FROM] = FILES


def _files() -> Pair:
    """Two uploads. Each is kept in this session when the page is left; an unreadable one leaves the other alone."""
    kept: dict[str, Opened] = st.session_state.setdefault(keys.SERIAL_FILES, {})
    order: tuple[str, str] = st.session_state.setdefault(keys.SERIAL_ORDER, SLOTS)
    one, other, last = st.columns([5, 5, 1.2], vertical_alignment="top", gap="medium")
    for slot, place, title in zip(order, (one, other), ("Before", "Now"), strict=True):
        with place:
            _slot(slot, title, kept)
    last.button("Swap", key="serial_swap", on_click=_swap, width="stretch", disabled=not kept)
    if len(kept) < len(SLOTS):
        html.text(
            "Both tracings are read in memory, on the computer that runs the dashboard, and deleted when the tab is "
            "closed. Recording times are not read: put the earlier ECG under Before."
        )
        st.stop()
    return Pair(kept[order[0]], kept[order[1]])


def _swap() -> None:
    first, second = st.session_state[keys.SERIAL_ORDER]
    st.session_state[keys.SERIAL_ORDER] = (second, first)


def _slot(slot: str, title: str, kept: dict[str, Opened]) -> None:
    """One uploader. Its label stays when the two are swapped, since a label is a part of what Streamlit knows it by."""
    key = f"serial_file_{slot}"

    def emptied() -> None:
        if not st.session_state.get(key):
            remove()

    def remove() -> None:
        kept.pop(slot, None)

    st.html(f'<div class="rows-title" role="heading" aria-level="3">{title}</div>')
    files = st.file_uploader(
        LABELS[slot], accept_multiple_files=True, key=key, on_change=emptied, label_visibility="collapsed"
    )
    if files:
        opened = uploads.read_one(files, slot)
        if opened is None:
            kept.pop(slot, None)
        else:
            kept[slot] = opened
    elif slot in kept:
        words, button = st.columns([3, 1], vertical_alignment="center")
        words.html(f'<div class="quiet">{kept[slot].source} of this session is used.</div>')
        button.button("Remove", key=f"{key}_remove", on_click=remove, width="stretch")
