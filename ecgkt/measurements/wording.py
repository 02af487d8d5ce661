"""A measurement in words, the same on the page and in print: its value, its flag, its normal range."""

from __future__ import annotations

from ecgkt.measurements.intervals import DEGREE, Measured

# Name of a measurement -> what is said of a value below and above its normal limits.
FLAGS = {
    "Heart rate": ("slow", "fast"),
    "PR interval": ("short", "prolonged"),
    "P duration": ("short", "prolonged"),
    "QRS duration": ("narrow", "wide"),
    "QTc (Fridericia)": ("short", "prolonged"),
    "QTc (Bazett)": ("short", "prolonged"),
    "P axis": ("leftward", "rightward"),
    "QRS axis": ("left axis deviation", "right axis deviation"),
    "T axis": ("leftward", "rightward"),
    "R/S transition": ("early", "late"),
}
EXTREME_AXIS = -90  # degrees, beyond which an axis is neither left nor right (AHA/ACCF/HRS 2009 part III)
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
    """What a cardiologist calls a value beyond its limit ("wide", "left axis deviation"); empty where it is normal or
    has no limit."""
    if measured.flag is None or measured.flag == "normal":
        return ""
    if measured.unit == DEGREE and measured.value is not None and measured.value < EXTREME_AXIS:
        return "extreme axis" if measured.name == "QRS axis" else "extreme"
    low, high = FLAGS.get(measured.name, ("low", "high"))
    return low if measured.flag == "low" else high


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
