"""How numbers are written on pages and in the model card: one style for all of them."""

from __future__ import annotations

from ecgkt.results.intervals import Interval

NONE = "–"  # not measured, or does not apply
MINUS = "−"


def percent(share: float | None, digits: int = 0) -> str:
    """0.62 -> "62%"; a share that would round to nothing says so."""
    if share is None or share != share:
        return NONE
    if 0 < share < 0.5 * 10 ** (-2 - digits):
        return f"< {10**-digits:g}%"
    return f"{100 * share:.{digits}f}%".replace("-", MINUS)


def measured(value: float, sign: bool = False) -> str:
    """A laboratory value, three digits, or whole from 1,000 on: 0.0123, 4.56, 1,234; never an exponent."""
    shown = f"{value:{'+' if sign else ''},.0f}" if abs(value) >= 1000 else f"{value:{'+' if sign else ''}.3g}"
    return shown.replace("-", MINUS)


def unit(name: str) -> str:
    """A unit as it stands behind a value: " mmol/L", "%", and nothing behind an INR."""
    return {"%": "%", "ratio": ""}.get(name, f" {name}")


def count(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"


def decimal(value: float | None) -> str:
    """Three decimals: AUROC, calibration error, Brier score."""
    return NONE if value is None else f"{value:.3f}".replace("-", MINUS)


def interval(value: Interval | None) -> str:
    """0.755 (0.750 to 0.760)"""
    return NONE if value is None else f"{decimal(value[0])} ({decimal(value[1])} to {decimal(value[2])})"


def signed_interval(value: Interval | None) -> str:
    """A difference: +0.019 (+0.015 to +0.022)"""
    if value is None:
        return NONE
    middle, low, high = ("0.000" if abs(part) < 0.0005 else f"{part:+.3f}".replace("-", MINUS) for part in value)
    return f"{middle} ({low} to {high})"


def percent_interval(value: Interval | None) -> str:
    """37% (11% to 60%)"""
    if value is None:
        return NONE
    middle, low, high = (f"{round(100 * part)}%".replace("-", MINUS) for part in value)
    return f"{middle} ({low} to {high})"
