"""What pages load: the model (one for all sessions), the example collections, and one ECG opened for a page.

An ECG is opened once; what was measured on it and predicted from it goes with it (`AnalyzedECG`). Opened ECGs and
attributions are kept per session and bounded (`remember`), so an uploaded tracing never reaches a cache that other
sessions share, and goes when its session goes. Those of the examples that ship are kept for everybody.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4
from weakref import WeakKeyDictionary

import streamlit as st

import ecgkt
from ecgkt.datasets.collection import Collection, Entry, open_collection
from ecgkt.ecg import ECG, ECGError
from ecgkt.intake import Outcome
from ecgkt.model.analyzed import AnalyzedECG
from ecgkt.prediction import Attribution
from ecgkt.relevance.summary import RelevanceSummary, summarize
from ecgkt.ui import address, folders, keys
from ecgkt.ui.widgets import html
from ecgkt.ui.widgets.ready_figure import ReadyFigure

if TYPE_CHECKING:  # torch takes seconds to import; a tracing should not wait for it
    from ecgkt.model.model import Model

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
REMEMBERED = 64 * 2**20  # bytes of results kept per session
SHARED = 64 * 2**20  # bytes of attributions kept for all sessions, of the examples that ship: 1,300 of them
SHARED_ECGS = 192 * 2**20  # bytes of opened examples kept for all sessions
CHARTS = 2**19  # bytes of charts kept with an opened ECG: three or four ways to look at it
ANALYZED = 4  # times the bytes of a tracing: what it comes to with its beats, views and predictions
SUMMARY = 10_000  # bytes that the summary of an attribution is counted as
OTHER = 50_000  # bytes that any other result is counted as, a sentence or a comparison of models

T = TypeVar("T")


@dataclass(frozen=True)
class Opened:
    """One ECG on a page. `key` tells it from others of this session; `clinical` is None without a clinical table."""

    key: str
    analyzed: AnalyzedECG
    source: str
    simulated: bool = False
    clinical: dict[str, float] | None = None
    recorded: frozenset[str] = frozenset()  # codes that the record itself carries
    shipped: bool = False  # one of the examples that come with the project, the same for everybody
    entry: Entry | None = None  # None for an upload
    others: tuple[Entry, ...] = ()  # of the same patient, in the order of time

    @property
    def ecg(self) -> ECG:
        return self.analyzed.ecg


class Kept:
    """Results by key, the one unused longest dropped first. Two threads that ask at once may both make it."""

    def __init__(self, most: int) -> None:
        """most: bytes, by `size`; the result asked for last is kept even if it alone is larger."""
        self._most, self._lock, self._held = most, Lock(), 0
        self._results: OrderedDict[tuple[str, ...], Any] = OrderedDict()

    def get(self, key: tuple[str, ...], make: Callable[[], T]) -> T:
        """`make()`, or what it gave last time for `key`."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]  # type: ignore[no-any-return]
        made = make()
        with self._lock:
            if key in self._results:  # another thread was faster; all go on with one
                return self._results[key]  # type: ignore[no-any-return]
            self._results[key] = made
            self._held += size(made)
            while self._held > self._most and len(self._results) > 1:
                self._held -= size(self._results.popitem(last=False)[1])
        return made


def size(result: Any) -> int:
    """Bytes that a result is counted as: by what is large in it, its samples."""
    if isinstance(result, Opened):
        return ANALYZED * result.ecg.signal.nbytes + CHARTS
    if isinstance(result, ReadyFigure):
        return result.size
    if isinstance(result, RelevanceSummary):
        return SUMMARY
    if isinstance(result, list):  # what an upload came to
        tracings = [each.ecg for each in result if isinstance(each, Outcome) and each.ecg is not None]
        return OTHER + sum(ecg.signal.nbytes for ecg in tracings)
    return OTHER if not isinstance(result, Attribution) else result.relevance.nbytes + 1000


_shared: WeakKeyDictionary[Model, Kept] = WeakKeyDictionary()
_shared_ecgs: WeakKeyDictionary[Collection, Kept] = WeakKeyDictionary()
_charts: WeakKeyDictionary[AnalyzedECG, Kept] = WeakKeyDictionary()


def remember(key: tuple[str, ...], make: Callable[[], T]) -> T:
    """`make()`, or what it gave last time for `key` in this session."""
    kept: Kept = st.session_state.setdefault(keys.REMEMBERED, Kept(REMEMBERED))
    return kept.get(key, make)


def _said(opened: Opened, model: Model, key: tuple[str, ...], make: Callable[[], T]) -> T:
    """What the model says of an ECG: kept for everybody where it is a shipped example, else for this session."""
    if not opened.shipped:
        return remember((*key, opened.key), make)
    return _shared.setdefault(model, Kept(SHARED)).get((*key, opened.key), make)


@st.cache_resource(show_spinner=False, max_entries=1)
def _model(path: str) -> Model:
    return ecgkt.load(path or None)


def load_model() -> Model:
    """The model; loaded once for all sessions. Raises OSError, ValueError."""
    return _model(os.environ.get("ECGKT_MODEL", ""))


def model_or_sentence() -> Model | None:
    """The model, or a sentence when there is none that can be used."""
    try:
        with st.spinner("Loading the model (a few seconds, once)"):
            model = load_model()
    except (OSError, ValueError) as error:
        st.error(f"The model cannot be loaded: {html.literal(str(error))}")
        return None
    st.session_state[keys.HAS_MODEL] = True
    return model


def model_or_stop() -> Model:
    """The model, or a sentence and no page when there is none that can be used."""
    model = model_or_sentence()
    if model is None:
        st.stop()
    return model


def model_if_loaded() -> Model | None:
    """The model, if this session has had it already; None rather than a wait."""
    return model_or_stop() if keys.HAS_MODEL in st.session_state else None


@st.cache_resource(show_spinner=False, max_entries=4)
def _collection(path: str, visit: str = "") -> Collection:
    """visit: changes when a folder is named again, which may hold other files by then."""
    return open_collection(path)


def examples() -> Collection:
    """The examples that ship. Raises OSError, ECGError."""
    return _collection(str(EXAMPLES))


def collection_or_stop() -> Collection:
    """The examples, or the folder named in the sidebar or in ECGKT_ECGS."""
    roots = folders.roots()
    st.session_state.setdefault(keys.FOLDER, str(roots[0]) if roots else "")
    # A widget's own state is dropped on pages that do not show it, hence the copy.
    st.session_state[keys.FOLDER_INPUT] = st.session_state[keys.FOLDER]
    if roots:
        with st.sidebar:
            st.text_input(
                "Folder of your own ECGs",
                key=keys.FOLDER_INPUT,
                placeholder="one of the folders named at the start, or below it",
                help="Read in place, nothing is copied: MIMIC-IV-ECG, PTB-XL, or ECG files of any format but CSV, .npy "
                "and zip. Only folders below those in ECGKT_ECGS can be opened. Empty: the examples.",
                on_change=_use_folder,
            )
    folder = st.session_state[keys.FOLDER].strip()
    try:
        with st.spinner("Reading the folder"):
            if folder:
                folder = str(folders.below_a_root(folder))
            collection = _collection(folder, st.session_state.get(keys.VISIT, "")) if folder else examples()
    except (OSError, ValueError) as error:
        reason = str(error) if isinstance(error, ECGError) else "The folder cannot be read."
        st.error(f"{reason} Choose another in the sidebar.")
        st.stop()
    for sentence in collection.left_out:
        st.sidebar.caption(sentence)
    if not collection.entries:
        st.info("There is no 12-lead ECG in this folder. Choose another in the sidebar.")
        st.stop()
    return collection


def _use_folder() -> None:
    st.session_state[keys.FOLDER] = st.session_state[keys.FOLDER_INPUT]
    st.session_state[keys.VISIT] = str(uuid4())
    for key in (keys.EXAMPLE, keys.TARGET, keys.SERIAL_BEFORE):
        st.session_state.pop(key, None)
    address.forget(keys.ECG, keys.TARGET, keys.EARLIER)  # they name ECGs of the folder before


def is_own_folder() -> bool:
    """Are the ECGs shown a person's own, whose names must not go into the address bar?"""
    return bool(st.session_state.get(keys.FOLDER, "").strip())


def example(collection: Collection, entry: Entry) -> Opened:
    """One of the examples that ship, opened once for all sessions. Raises ECGError."""
    kept = _shared_ecgs.setdefault(collection, Kept(SHARED_ECGS))
    return kept.get((entry.key,), lambda: _open(collection, entry))


def _open(collection: Collection, entry: Entry, folder: str = "") -> Opened:
    """The tracing with its clinical table. Raises ECGError."""
    ecg = AnalyzedECG(collection.read(entry.key))
    clinical = collection.clinical(entry.key) if entry.has_table else None
    recorded = frozenset(entry.findings) | frozenset(entry.diagnoses)
    shipped = not folder.strip()
    others = tuple(other for other in collection.of_same_patient(entry.key) if other != entry)
    name = f"{folder}:{entry.key}"
    return Opened(name, ecg, entry.source, entry.simulated, clinical, recorded, shipped, entry, others)


def open_entry(collection: Collection, entry: Entry) -> Opened:
    """The ECG of an entry, opened once, or a sentence and no more when it cannot be read."""
    folder = st.session_state.get(keys.FOLDER, "")
    try:
        if not is_own_folder():
            return example(collection, entry)
        return remember(
            ("ecg", folder, st.session_state.get(keys.VISIT, ""), entry.key), lambda: _open(collection, entry, folder)
        )
    except ECGError as error:
        st.error(str(error))
        st.stop()


def attribute(opened: Opened, model: Model, code: str, method: str) -> Attribution:
    return _said(opened, model, ("attribute", code, method), lambda: model.attribute(opened.analyzed, code, method))


def summarized(opened: Opened, model: Model, attribution: Attribution, positive: bool) -> RelevanceSummary:
    """What an attribution of `attribute` rests on; positive: is its score above the threshold?"""
    key = ("summary", attribution.label.code, attribution.method, str(positive))
    return _said(opened, model, key, lambda: summarize(attribution, opened.analyzed.beats, positive))


def drawn(opened: Opened, key: tuple[str, ...], make: Callable[[], T]) -> T:
    """A chart of the ECG or its picture as text, drawn once; goes with the ECG. key: all that it depends on besides."""
    return _charts.setdefault(opened.analyzed, Kept(CHARTS)).get(key, make)


def compare(opened: Opened, model: Model, models: Sequence[str]) -> dict[str, dict[str, float]]:
    return _said(opened, model, ("compare", *models), lambda: model.compare(opened.analyzed, opened.clinical, models))
