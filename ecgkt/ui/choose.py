"""Which example: filters, a list, previous and next. The choice is kept from page to page and in the address."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import streamlit as st

from ecgkt import vocabulary
from ecgkt.collection import Collection, Entry
from ecgkt.model import Model
from ecgkt.ui.resources import is_own_folder

FILTERS = ("findings", "diagnoses", "measured", "source")


def example(collection: Collection, model: Model) -> Entry:
    """The entry chosen; a sentence and no page when the filters leave none."""
    left, right, middle, last = st.columns([1.5, 1.2, 6.3, 1.6], vertical_alignment="bottom", gap="small")
    words = names(model)
    with last:
        entries = _filtered(collection, words)
    if not entries:
        st.info("No ECG here has all of that. Take away a filter.")
        st.stop()
    keys = [entry.key for entry in entries]
    current = st.session_state.get("example", st.query_params.get("ecg"))
    at = keys.index(current) if current in keys else 0
    for place, name, shortcut, to in ((left, "Previous", "P", at - 1), (right, "Next", "N", (at + 1) % len(keys))):
        place.button(
            name,
            key=name.lower(),
            shortcut=shortcut,
            on_click=_go,
            args=(keys[to],),
            width="stretch",
            disabled=len(keys) == 1,
        )
    by_key = {entry.key: entry for entry in entries}
    st.session_state["example_pick"] = keys[at]
    middle.selectbox(
        "ECG",
        keys,
        key="example_pick",
        format_func=lambda key: f"{keys.index(key) + 1} of {len(keys)}   {line(by_key[key], words)}",
        on_change=lambda: _go(st.session_state["example_pick"]),
        label_visibility="collapsed",
    )
    st.session_state["example"] = keys[at]
    if not is_own_folder():
        st.query_params["ecg"] = keys[at]
    return by_key[keys[at]]


def _go(key: str) -> None:
    st.session_state["example"] = key


def line(entry: Entry, names: dict[str, str]) -> str:
    """One line of the list: the title and a few words of what the record carries."""
    known = [names[code] for code in (*entry.measured, *entry.findings) if code in names]
    return f"{entry.title}: {', '.join(known[:3])}" if known else entry.title


def _filtered(collection: Collection, names: dict[str, str]) -> list[Entry]:
    chosen = {name: st.session_state.get(f"filter_{name}", []) for name in FILTERS}
    active = sum(bool(values) for values in chosen.values())
    with st.popover(f"Filters: {active}" if active else "Filters", width="stretch"):
        for name, title in zip(FILTERS, ("Finding", "Diagnosis", "Lab abnormality, measured", "Source"), strict=True):
            present = {value for entry in collection.entries for value in _values(entry, name)}
            options = sorted(present, key=lambda value: names.get(value, value))
            st.multiselect(title, options, key=f"filter_{name}", format_func=_word(names), persist_state="session")
    return [
        entry
        for entry in collection.entries
        if all(set(values) <= set(_values(entry, name)) for name, values in chosen.items() if name != "source")
        and (not chosen["source"] or entry.source in chosen["source"])
    ]


def _word(names: dict[str, str]) -> Callable[[str], str]:
    return lambda code: names.get(code, code)


def _values(entry: Entry, name: str) -> Iterable[str]:
    return (entry.source,) if name == "source" else getattr(entry, name)


def names(model: Model) -> dict[str, str]:
    """Words for codes: the vocabulary's, then the model's own."""
    names = {code: finding.name for code, finding in vocabulary.findings().items()}
    for code, lab in vocabulary.labs().items():
        names |= {f"{code}_low": lab.low_name, f"{code}_high": lab.high_name}
    return names | {label.code: label.name for head in model.labels.values() for label in head}
