"""What the words around a table of numbers say: rate, unit, times. Strangers wrote them: every look is short."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import ECGError
from ecgkt.readers.format import MILLIVOLTS, scale_of
from ecgkt.readers.lead_names import lead_name

LONGEST = 40  # characters of a number, a time, or a word that is looked at
DAY = 86_400.0  # s
UNEVEN = 0.01  # share of a table's time by which a sample may lie off its place
COARSE = 0.6  # share of times that are not the same as another, below which they are rounded to more than a sample
TIME_UNITS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "milliseconds": 1e-3}
RATES = ("sampling rate", "sample rate", "samplingrate", "samplerate", "sampling frequency", "sampling_rate", "fs")


@dataclass(frozen=True)
class Said:
    """rate: Hz. units_per_mv: what is 1 mV. Both None where nothing was said.

    seconds_per_time: of the unit of column `time_column`, 0 where there is no such column.
    """

    rate: float | None = None
    units_per_mv: float | None = None
    seconds_per_time: float = 0.0
    time_column: int = 0


def is_number(cell: str) -> bool:
    """ "1.5", "-3e-2", "0,25", "nan"."""
    if not 0 < len(cell) <= LONGEST or "_" in cell:
        return False
    try:
        return not math.isinf(float(cell.replace(",", ".", 1)))
    except ValueError:
        return False


def is_clock(cell: str) -> bool:
    """ "12:00:00.002", "2020-01-31T12:00:00Z", "[0:00.004]", "31.01.2020"."""
    words = cell.strip("'[] ")
    if not (0 < len(words) <= LONGEST and words[0].isdigit()):
        return False
    return all(letter in "0123456789:-/.TZ+ ," for letter in words) and any(mark in words for mark in ":-/.")


def rate_of_times(times: Sequence[float | None], places: npt.NDArray[np.int64], clock: bool) -> float | None:
    """Hz from the times (s) of some samples, the first and the last among them; None where they do not tell.

    clock: times of day, rounded, within one day. Raises ECGError for times that do not go up evenly: what lies between
    was not recorded, or not at one rate.
    """
    if len(times) < 2 or any(time is None for time in times):
        return None
    passed = np.array(times, dtype=float) - float(times[0] or 0)
    passed = passed % DAY if clock else passed
    if not (np.isfinite(passed).all() and passed[-1] > 0):
        return None
    rate, step = float(places[-1] / passed[-1]), float(passed[-1] / (len(np.unique(passed)) - 1))
    if np.abs(passed - places / rate).max() > max(UNEVEN * passed[-1], 2 * step):
        raise ECGError("The times in the table do not go up evenly: the recording has gaps, or no one sampling rate.")
    if step > UNEVEN * passed[-1] and len(np.unique(passed)) < COARSE * len(passed):
        return None
    # Times are rounded to milliseconds, whole rates are what recorders have.
    return float(round(rate)) if clock and abs(rate - round(rate)) < 0.005 * rate else rate


def clock_time(words: str) -> float | None:
    """Of the part with colons: "2020-01-31T12:00:00.5Z" -> 43200.5; "0:00.004" is minutes and seconds."""
    part = next((part for part in words.strip("'[] ").replace("T", " ").split() if ":" in part), "")
    fields = part.strip("'[]Z").split("+")[0].replace(",", ".").split(":")
    try:
        values = [float(field) for field in fields[:3]]
    except ValueError:
        return None
    return sum(value * 60**power for power, value in enumerate(reversed(values)))


def said_before(lines: Sequence[str], heading: Sequence[str], mark: str | None) -> Said:
    """From the lines above the numbers, of which `heading` names the leads.

    Raises ECGError for a unit that is neither mV nor uV, and for units that differ from lead to lead.
    """
    rate, units = None, set()
    for line in lines:
        key, value = _pair(line, mark)
        if key.startswith(RATES) and "interval" not in key:
            rate = _first_number(value) or rate
        elif key in ("unit", "units", "amplitude unit", "amplitude units"):
            units.add(value)
        elif mark is not None:
            cells = [cell.strip("' ").lower() for cell in line.split(mark)]
            units |= set(cells) & set(MILLIVOLTS) if len(set(cells)) <= 3 else set()
    units |= {unit for cell in heading if lead_name(cell) and (unit := _bracketed(cell))}
    scales = {scale_of(unit) for unit in units}
    if len(scales) > 1:
        raise ECGError("The table names several units.")
    per_mv = 1 / scales.pop() if scales else None
    for column, cell in enumerate(heading):
        if "time" in cell.lower() and _bracketed(cell) in TIME_UNITS:
            return Said(rate, per_mv, TIME_UNITS[_bracketed(cell)], column)
    return Said(rate, per_mv)


def _pair(line: str, mark: str | None) -> tuple[str, str]:
    """ "Sampling rate: 500" -> ("sampling rate", "500"), in lower case; ("", "") for a line of another kind."""
    words = line.strip("# '").lower()
    if len(words) > 4 * LONGEST:
        return "", ""
    for sign in (":", "=", mark or "\t"):
        key, found, value = words.partition(sign)
        if found and value.strip(" ,;\t"):
            return key.strip(), value.strip(" ,;\t'")
    return "", ""


def _first_number(words: str) -> float | None:
    first = (words.lower().removesuffix("hz").split() or [""])[0].removesuffix("hz")
    return float(first) if is_number(first) and "," not in first and float(first) > 0 else None


def _bracketed(cell: str) -> str:
    """ "I (uV)" -> "uv"."""
    for begin, end in ("()", "[]"):
        inside = cell.partition(begin)[2].partition(end)[0].strip().lower()
        if inside in MILLIVOLTS or inside in TIME_UNITS or inside == "v":
            return inside
    return ""
