"""Which example: filters, a list, previous and next. The choice is kept from page to page; pages write it into the
address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from ecgkt import vocabulary
from ecgkt.datasets.collection import Collection, Entry
from ecgkt.ui import address, keys

if TYPE_CHECKING:
    from ecgkt.model.model import Model

FILTERS = ("findings", "diagnoses", "measured", "source")
STEMI = {"I210", "I211", "I212", "I213"}  # ICD-10-CM: ST elevation infarction, by wall
INJURY = {"INJAS", "INJAL", "INJIN", "INJIL", "INJLA"}  # SCP-ECG: injury, by wall
OTHER_QRS = {"CLBBB", "CRBBB", "PACE", "WPW"}  # SCP-ECG
SINUS = {"SR", "SBRAD", "STACH", "SARRH"}  # SCP-ECG
ELEVATED, DEPRESSED = "STE_", "STD_"  # SCP-ECG: the ST segment, in some leads and opposite


def opening(entries: Sequence[Entry]) -> Entry:
    """The entry shown first: one whose diagnosis is plain on the tracing, by what its record says, without the model.

    That is an infarction with ST elevation, stated of the stay and of the tracing; of several the one with elevation
    and depression opposite, then one whose QRS no block or pacemaker shapes, then one in sinus rhythm, then the one
    with the fewest other findings. The first entry where there is none.
    """
    plain = [e for e in entries if STEMI & set(e.diagnoses) and INJURY & set(e.findings)]
    signs = {e.key: len({ELEVATED, DEPRESSED} & set(e.findings)) for e in plain}

    def order(entry: Entry) -> tuple[int, bool, bool, int]:
        found = set(entry.findings)
        return -signs[entry.key], bool(OTHER_QRS & found), not SINUS & found, len(found)

    return min(plain, key=order, default=entries[0])


def choose(collection: Collection, model: Model | None) -> Entry:
    """The entry chosen; a sentence and no page when the filters leave none. Without the model some codes stay codes."""
    with st.container(key="which"):
        left, right, middle, last = st.columns([1.5, 1.2, 6.3, 1.6], vertical_alignment="bottom", gap="small")
    words = names(model)
    with last:
        entries = _filtered(collection, words)
    if not entries:
        st.info("No ECG matches all filters. Remove one.")
        st.stop()
    listed = [entry.key for entry in entries]
    current = address.asked(keys.ECG)
    current = current if current in listed else st.session_state.get(keys.EXAMPLE)
    at = listed.index(current) if current in listed else listed.index(opening(entries).key)
    for place, name, shortcut, to in ((left, "Previous", "P", at - 1), (right, "Next", "N", (at + 1) % len(listed))):
        place.button(
            name,
            key=name.lower(),
            shortcut=shortcut,
            on_click=_go,
            args=(listed[to],),
            width="stretch",
            disabled=len(listed) == 1,
        )
    by_key = {entry.key: entry for entry in entries}
    st.session_state[keys.EXAMPLE_PICK] = listed[at]
    middle.selectbox(
        "ECG",
        listed,
        key=keys.EXAMPLE_PICK,
        format_func=lambda key: f"{listed.index(key) + 1} of {len(listed)}   {line(by_key[key], words)}",
        on_change=lambda: _go(st.session_state[keys.EXAMPLE_PICK]),
        label_visibility="collapsed",
    )
    st.session_state[keys.EXAMPLE] = listed[at]
    return by_key[listed[at]]


def _go(key: str) -> None:
    st.session_state[keys.EXAMPLE] = key


def line(entry: Entry, names: dict[str, str]) -> str:
    """One line of the list: the title and a few words of what the record carries."""
    findings = [code for code in entry.findings if code != "SR"]  # sinus rhythm tells few apart
    known = [names[code] for code in (*findings, *entry.measured) if code in names]
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


def names(model: Model | None) -> dict[str, str]:
    """Words for codes: the vocabulary's, then the model's own."""
    names = {code: finding.name for code, finding in vocabulary.findings().items()}
    for code, lab in vocabulary.labs().items():
        names |= {f"{code}_low": lab.low_name, f"{code}_high": lab.high_name}
    heads = model.labels.values() if model else ()
    return names | {label.code: label.name for head in heads for label in head}
