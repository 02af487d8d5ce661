"""What pages load: the model (one for all sessions), the example collections, and one ECG opened for a page.

Predictions and attributions are kept per session and bounded (`remember`), so an uploaded tracing never reaches a
cache that other sessions share, and goes when its session goes.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

import ecgkt
from ecgkt.collection import Collection, Entry, open_collection
from ecgkt.ecg import ECG, ECGError
from ecgkt.explanation import Attribution, Explanation
from ecgkt.model import Model

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
REMEMBERED = 32  # results kept per session

T = TypeVar("T")


@dataclass(frozen=True)
class Opened:
    """One ECG on a page. `key` tells it from others of this session; `clinical` is None without a clinical table."""

    key: str
    ecg: ECG
    source: str
    simulated: bool = False
    clinical: dict[str, float] | None = None
    recorded: frozenset[str] = frozenset()  # codes that the record itself carries
    entry: Entry | None = None  # None for an upload
    others: tuple[Entry, ...] = ()  # of the same patient, in the order of time


def remember(key: tuple[str, ...], make: Callable[[], T]) -> T:
    """`make()`, or what it gave last time for `key` in this session."""
    kept: OrderedDict[tuple[str, ...], Any] = st.session_state.setdefault("remembered", OrderedDict())
    if key not in kept:
        kept[key] = make()
    kept.move_to_end(key)
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)
    return kept[key]  # type: ignore[no-any-return]


@st.cache_resource(show_spinner="Loading the model", max_entries=1)
def _model(path: str) -> Model:
    return ecgkt.load(path or None)


def model_or_stop() -> Model:
    """The model, or a sentence and no page when there is none that can be used."""
    try:
        return _model(os.environ.get("ECGKT_MODEL", ""))
    except (OSError, ValueError) as error:
        st.error(f"The model cannot be loaded: {error}")
        st.stop()


@st.cache_resource(show_spinner="Reading the folder", max_entries=4)
def _collection(path: str) -> Collection:
    return open_collection(Path(path))


def collection_or_stop() -> Collection:
    """The examples, or the folder named in the sidebar or in ECGKT_ECGS."""
    st.session_state.setdefault("folder", os.environ.get("ECGKT_ECGS", ""))
    # A widget's own state is dropped on pages that do not show it, hence the copy.
    st.session_state["folder_input"] = st.session_state["folder"]
    with st.sidebar:
        st.text_input(
            "Folder of your own ECGs",
            key="folder_input",
            placeholder="a path on this computer",
            help="Read in place, nothing is copied: WFDB records, MIMIC-IV-ECG or PTB-XL. Empty: the examples.",
            on_change=_use_folder,
        )
    try:
        collection = _collection(st.session_state["folder"].strip() or str(EXAMPLES))
    except (OSError, ValueError) as error:
        reason = str(error) if isinstance(error, ECGError) else "There is no such folder, or it cannot be read."
        st.error(f"{reason} Change it in the sidebar.")
        st.stop()
    if not collection.entries:
        st.info("This folder holds no 12-lead ECG. Name another in the sidebar.")
        st.stop()
    return collection


def _use_folder() -> None:
    st.session_state["folder"] = st.session_state["folder_input"]
    st.session_state.pop("example", None)


def is_own_folder() -> bool:
    """Are the ECGs shown a person's own, whose names must not go into the address bar?"""
    return bool(st.session_state.get("folder", "").strip())


def open_entry(collection: Collection, entry: Entry) -> Opened:
    """The example's tracing with its clinical table, or a sentence and no more when it cannot be read."""

    def read() -> Opened:
        ecg = collection.read(entry.key)
        clinical = collection.clinical(entry.key) if entry.has_table else None
        recorded = frozenset(entry.findings) | frozenset(entry.diagnoses)
        name = f"{st.session_state.get('folder', '')}:{entry.key}"
        others = tuple(other for other in collection.of_same_patient(entry.key) if other != entry)
        return Opened(name, ecg, entry.source, entry.simulated, clinical, recorded, entry, others)

    try:
        return remember(("ecg", st.session_state.get("folder", ""), entry.key), read)
    except ECGError as error:
        st.error(str(error))
        st.stop()


def explain(opened: Opened, model: Model) -> Explanation:
    return remember(("explain", opened.key), lambda: model.explain(opened.ecg))


def attribute(opened: Opened, model: Model, code: str, method: str) -> Attribution:
    return remember(("attribute", opened.key, code, method), lambda: model.attribute(opened.ecg, code, method))


def compare(opened: Opened, model: Model) -> dict[str, dict[str, float]]:
    return remember(("compare", opened.key), lambda: model.compare(opened.ecg, opened.clinical))
