"""The model-facts label, filled from bundle.json alone; "not stated" where the bundle says nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ecgkt.ui.widgets import html

if TYPE_CHECKING:
    from ecgkt.model.model import Model

UNSTATED = "not stated in the bundle"


def contents(sections: dict[str, str]) -> None:
    """Links to the sections of the page, by anchor."""
    st.markdown(" · ".join(f"[{title}](#{anchor})" for anchor, title in sections.items()))


def use(model: Model) -> None:
    """What it is meant for, and beside it what it must not be used for and where it ends."""
    card = model.card
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Intended use")
        html.text(_sentence(card.get("intended_use")), "lead-in")
        st.subheader("Limits")
        _list(card.get("limits"))
    with right:
        st.subheader("Not to be used for")
        _list(card.get("not_for"))


def training_data(model: Model) -> None:
    """Each data set with the size of its training split, its license, and whether its patients were simulated."""
    st.subheader("What it was trained on")
    rows = [
        (
            str(data.get("name", "–")),
            "simulated" if data.get("simulated") else "real",
            _count((data.get("splits") or {}).get("train", {}).get("patients")),
            _count((data.get("splits") or {}).get("train", {}).get("ecgs")),
            str(data.get("license") or "–"),
            str(data.get("note") or ""),
        )
        for data in model.card.get("training_data", [])
    ]
    html.table(("Data set", "Patients are", "Patients", "ECGs", "License", "Note"), rows, numbers=(2, 3))


def build(model: Model) -> None:
    """How it was made and which files it is: architecture, seeds, hashes."""
    st.header("Build", anchor="build")
    card = model.card
    rows = [
        ("Model", f"{model.name}, {model.sha256}"),
        ("Created", _sentence(card.get("created"))),
        ("Leads", ", ".join(card.get("leads", [])) or UNSTATED),
        ("Sampling rate", f"{card['rate']:g} Hz" if card.get("rate") else UNSTATED),
        ("Normalization", _sentence(card.get("normalization"))),
        ("Seeds", _sentence(card.get("seeds"))),
        ("Labels", ", ".join(f"{len(labels)} {head}" for head, labels in model.labels.items())),
    ]
    html.table(("", ""), rows)
    with st.expander("Architecture and files"):
        html.table(("Architecture", ""), _flat(card.get("architecture", {})))
        html.table(("File", "SHA-256"), [(name, str(digest)) for name, digest in card.get("files", {}).items()])


def _list(items: Sequence[str] | None) -> None:
    for item in items or [UNSTATED]:
        html.text(f"– {item}", "lead-in")


def _sentence(value: Any) -> str:
    if not value:
        return UNSTATED
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')}: {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "–"


def _flat(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as dotted rows; long lists as their length."""
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append(
                (prefix + key, f"{len(value)} entries" if isinstance(value, list) and len(value) > 8 else str(value))
            )
    return rows
