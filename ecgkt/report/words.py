"""What a report's numbers are called in print: short phrases that both pages share."""

from __future__ import annotations

from typing import Any

SEPARATOR = "   ·   "


def patient(data: dict[str, Any]) -> str:
    """Sex, age band, what the user gave, and whether the patient is real."""
    who = data["patient"]
    parts = [
        (who["sex"] or "sex not known").capitalize(),
        who["age_band"] or "age not known",
        who["given"],
        "simulated patient" if who["simulated"] else "",
    ]
    return SEPARATOR.join(part for part in parts if part)


def percent(share: float) -> str:
    """0.62 -> "62 %"; a share that would round to nothing says so."""
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def value(row: dict[str, Any]) -> str:
    """A measurement with its unit, or a dash."""
    number = row["value"]
    if number is None:
        return "–"
    if row["unit"] == "V lead":
        return f"V{number:.0f}" if number <= 6 else "beyond V6"
    return signed(f"{number:.{2 if row['unit'] == 'mV' else 0}f}") + unit(row)


def signed(number: str) -> str:
    """With a minus sign as wide as a plus; no sign before nothing."""
    return number.removeprefix("-") if not number.strip("-0.") else number.replace("-", "−")


def unit(row: dict[str, Any]) -> str:
    return row["unit"] if row["unit"] in ("°", "/min") else f" {row['unit']}"


def limits(row: dict[str, Any]) -> str:
    """The normal range of a measurement, empty where none is known."""
    low, high = row["low"], row["high"]
    if row["unit"] == "V lead":
        return "" if low is None else f"V{low:g}–V{high:g}"
    if low is None:
        return "" if high is None else f"up to {high:g}{unit(row)}"
    return signed(f"from {low:g}" if high is None else f"{low:g} to {high:g}") + unit(row)


def abstention(data: dict[str, Any]) -> str:
    """Why the model says nothing; empty where it says something."""
    return "The model says nothing of this tracing. " + " ".join(data["quality"]["reasons"]) if data["abstained"] else ""


def model(data: dict[str, Any]) -> str:
    built = data["model"]["created"]
    return f"Model {data['model']['name']}" + (f" of {built}" if built else "")
