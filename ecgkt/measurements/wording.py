"""A measurement in words, the same on the page and in print: its value, its flag, its normal range."""

from __future__ import annotations

from ecgkt.measurements.intervals import DEGREE, Measured

SPACE = "\N{NO-BREAK SPACE}"


def number(measured: Measured) -> str:
    """The value as it is printed, without its unit but with a degree sign; a dash where there is none."""
    if measured.value is None:
        return "–"
    if measured.unit == "V lead":
        return f"V{measured.value:.0f}" if measured.value <= 6 else "after V6"
    text = f"{measured.value:.{2 if measured.unit == 'mV' else 0}f}".replace("-", "−")
    return text + (DEGREE if measured.unit == DEGREE else "")


def flag(measured: Measured) -> str:
    """ "low", "high", and for an axis "to the left", "to the right"; empty where normal or without a limit."""
    if measured.flag in (None, "normal"):
        return ""
    if measured.unit == DEGREE:
        return "to the left" if measured.flag == "low" else "to the right"
    if measured.unit == "V lead":
        return "early" if measured.flag == "low" else "late"
    return str(measured.flag)


def limit(measured: Measured) -> str:
    """The normal range in words; empty where none is known."""
    known = measured.limit
    if known is None:
        return ""
    unit = DEGREE if measured.unit == DEGREE else ""
    lead = "V" if measured.unit == "V lead" else ""
    edges = (known.low, known.high)
    low, high = ("" if edge is None else f"{lead}{edge:g}{unit}".replace("-", "−") for edge in edges)
    if low and high:
        return f"{low}{SPACE}to{SPACE}{high}"
    return f"up{SPACE}to{SPACE}{high}" if high else f"from{SPACE}{low}"
