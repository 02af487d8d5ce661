"""What every file format shares: the limits put on untrusted input, and the words that mean a lead."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecgkt.ecg import ECG, INDEPENDENT, LEADS, ECGError, Sex

Files = Mapping[str, bytes]

# Limits on what is decoded (a 12-lead ECG at rest is 10 s at 100-1,000 Hz). They bound time and memory of one upload.
MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_SIGNALS = 16
MIN_RATE, MAX_RATE = 50.0, 2000.0  # Hz
MAX_SECONDS = 60.0

# Millivolts in one unit. Only what an ECG is stored in; a header in volts is more likely wrong than right.
MILLIVOLTS = {"mv": 1.0, "uv": 1e-3, "\N{MICRO SIGN}v": 1e-3, "\N{GREEK SMALL LETTER MU}v": 1e-3}

# The number of a lead in SCP-ECG (EN 1064 table 5) and, behind a prefix, in MDC and DICOM (PS3.16 CID 3001).
LEAD_CODES = {
    1: "I", 2: "II", 61: "III", 62: "aVR", 63: "aVL", 64: "aVF",
    3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6",
}  # fmt: skip
NEEDED = frozenset(INDEPENDENT)
SMALLEST_STEP, LARGEST_STEP = 1e-9, 1e3  # mV
NO_SAMPLE, NEAR_NO_SAMPLE = -32768, -24576  # in 16 bits; a quarter of the way to 0


HOW_TO_SAY = "The Upload page asks for it, and `ecgkt.read` takes a `TableLayout`."


@dataclass(frozen=True)
class TableLayout:
    """What a bare table of numbers (CSV, .npy) does not say of itself.

    rate: Hz. units_per_mv: what is 1 mV in the file (1 for mV, 1000 for uV, an amplifier's gain for ADC units).
    leads: name of each column, in order; a column by any other name than a lead's is passed over.
    """

    rate: float
    units_per_mv: float = 1.0
    leads: tuple[str, ...] = LEADS


@dataclass(frozen=True)
class Format:
    """One file format.

    claims: is this file (its content, not its name) the main file of such a record?
    companions: names of the other files that the main file (name, content) needs; may raise ECGError.
    main_names: for a file that is not a main file, the names its main file could have.
    read: files of exactly one record -> ECG; `readers.read` turns whatever else than ECGError it raises into one.
    read_as: the same for a format that states neither rate nor unit nor leads, all of which `TableLayout` then gives.
    """

    name: str
    files: str
    extensions: tuple[str, ...]
    claims: Callable[[bytes], bool]
    companions: Callable[[str, bytes], tuple[str, ...]]
    main_names: Callable[[str], tuple[str, ...]]
    read: Callable[[Files], ECG]
    read_as: Callable[[Files, TableLayout], ECG] | None = None


def single_file(
    name: str,
    files: str,
    extensions: tuple[str, ...],
    claims: Callable[[bytes], bool],
    read: Callable[[bytes], ECG],
    read_as: Callable[[bytes, TableLayout], ECG] | None = None,
) -> Format:
    """A format whose record is one file."""

    def content(given: Files) -> bytes:
        if len(given) != 1:
            raise ECGError(f"A record in the format {name} is one file.")
        return next(iter(given.values()))

    return Format(
        name,
        files,
        extensions,
        claims,
        lambda name, content: (),
        lambda name: (),
        lambda given: read(content(given)),
        None if read_as is None else lambda given, layout: read_as(content(given), layout),
    )


def number(text: str) -> float:
    """A number as files write it, without what Python reads besides ("5_00", digits of other scripts). Raises
    ValueError."""
    if "_" in text or not text.isascii():
        raise ValueError
    return float(text)


def years(value: str) -> float | None:
    """An age in years, or None for anything that is not between 0 and 130 ("NaN", "-1", "unknown")."""
    try:
        age = number(value)
    except ValueError:
        return None
    return age if 0 <= age <= 130 else None


def sex_of(value: str) -> Sex | None:
    """ "F", "female", "M", "Male" -> sex; anything else is unknown."""
    known: dict[str, Sex] = {"f": "female", "female": "female", "m": "male", "male": "male"}
    return known.get(value.strip().lower())


# Years in one unit, by the words that files have for it (UCUM's among them). "m" may be minutes and is none of them.
AGE_UNITS = {
    **dict.fromkeys(("years", "year", "yrs", "yr", "y", "a"), 1.0),
    **dict.fromkeys(("months", "month", "mo"), 1 / 12),
    **dict.fromkeys(("weeks", "week", "wks", "wk"), 7 / 365.25),
    **dict.fromkeys(("days", "day", "d"), 1 / 365.25),
    **dict.fromkeys(("hours", "hour", "h"), 1 / 8766),
}


def age_of(value: str, unit: str) -> float | None:
    """An age in years from a number and its unit ("years", "Months", ...); None if either makes no sense."""
    scale = AGE_UNITS.get(unit.strip().lower())
    if scale is None:
        return None
    try:
        return years(str(number(value) * scale))
    except ValueError:
        return None


def measured(values: np.ndarray) -> np.ndarray:
    """Stored numbers [..., samples] as float64, NaN where the lowest of 16 bits stands for no sample.

    ISHNE and WFDB say so, other recorders do it, a saturated converter has it, too. But a writer that stretches a lead
    over all 16 bits (EDF) has it for the lead's lowest sample: there other samples come near it.
    """
    numbers = np.asarray(values, dtype=np.float64)
    lost = numbers == NO_SAMPLE
    if not lost.any():
        return numbers
    next_lowest = np.min(numbers, axis=-1, initial=np.inf, where=~lost, keepdims=True)
    return np.where(lost & (next_lowest > NEAR_NO_SAMPLE), np.nan, numbers)


def incomplete(names: Sequence[str]) -> str:
    """Which of the leads that are needed are there and which are not, as the end of a sentence."""
    held = [lead for lead in LEADS if lead in names]
    lacking = [lead for lead in LEADS if lead in NEEDED and lead not in names]
    there = f"{', '.join(held) or 'none'} {'is' if len(held) == 1 else 'are'} there"
    return f"{there}, {', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} missing"


def check_rate(rate: float) -> None:
    """Raises ECGError outside 50-2,000 Hz (NaN included)."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise ECGError(f"The sampling rate must be {MIN_RATE:.0f} to {MAX_RATE:.0f} Hz; the file says {rate:g} Hz.")


def check_scale(step: float) -> None:
    """Raises ECGError for a step of a lead's numbers, in mV, that no recorder has and that would round tracings away.

    Converters have 24 bits at most; a step of 1 mV is the coarsest ever stored.
    """
    if not SMALLEST_STEP <= step <= LARGEST_STEP:
        raise ECGError("The amplitude scale in the file is beyond all measure, so amplitudes are unknown.")


def shortened(seconds: float) -> str:
    """The note that says a long recording was cut."""
    return f"Only the first {MAX_SECONDS:.0f} s of {seconds:.0f} s are read"


def check_count(leads: int) -> None:
    """Raises ECGError for a number of leads that no ECG has; to be asked before any is decoded."""
    if not 1 <= leads <= MAX_SIGNALS:
        raise ECGError(f"The file must hold 1 to {MAX_SIGNALS} leads; it holds {leads}.")


def assemble_ecg(
    names: Sequence[str],
    rows: Sequence[np.ndarray],
    rate: float,
    age: float | None,
    sex: Sex | None,
    notes: Sequence[str] = (),
) -> ECG:
    """Leads by name, each [samples] in mV at `rate`, all of one length -> ECG, cut to `MAX_SECONDS`.

    Raises ECGError for a rate out of range, leads of unequal length, and a lead that is missing or there twice.
    """
    check_rate(rate)
    check_count(len(names))
    lengths = {len(row) for row in rows}
    if len(lengths) != 1:
        raise ECGError("The leads of the file are not equally long.")
    length = lengths.pop()
    used = min(length, int(MAX_SECONDS * rate))
    notes = [*notes, *([shortened(length / rate)] if used < length else [])]
    signal = np.stack([np.asarray(row[:used], dtype=np.float32) for row in rows])
    return ECG.from_leads(names, signal, rate, age, sex, notes)


def scale_of(unit: str) -> float:
    """Millivolts in one `unit`. Raises ECGError for what is neither mV nor uV."""
    scale = MILLIVOLTS.get(unit.strip().lower())
    if scale is None:
        raise ECGError("A lead's unit in the file is neither mV nor uV.")
    return scale


def first_minute(table: np.ndarray, rate: float) -> tuple[np.ndarray, list[str]]:
    """The samples of a table [leads, samples] that are read, before anything is computed of them, and the note that
    says what was cut off."""
    used = int(MAX_SECONDS * rate)
    notes = [shortened(table.shape[1] / rate)] if table.shape[1] > used else []
    return table[:, :used], notes


def positive(text: str | None, what: str) -> float:
    """A number above 0 from a file's text. Raises ECGError, which says `what` it should have been."""
    try:
        value = number(text or "")
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ECGError(f"The file does not state its {what}.")
    return value
