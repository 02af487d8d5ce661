"""What every file format shares: the limits put on untrusted input, and the words that mean a lead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ecgkt.ecg import ECG, ECGError, Sex

Files = Mapping[str, bytes]

# Limits on what is decoded (a 12-lead ECG at rest is 10 s at 100-1,000 Hz). They bound time and memory of one upload.
MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_SIGNALS = 16
MIN_RATE, MAX_RATE = 50.0, 2000.0  # Hz
MAX_SECONDS = 60.0

# Millivolts in one unit. Only what an ECG is stored in; a header in volts is more likely wrong than right.
MILLIVOLTS = {"mv": 1.0, "uv": 1e-3, "\N{MICRO SIGN}v": 1e-3, "\N{GREEK SMALL LETTER MU}v": 1e-3}

_LEAD = re.compile(
    r"^\s*(?:(?:lead|ecg|mdc_ecg_lead)[\s_:-]+)?(avr|avl|avf|iii|ii|i|v[1-6])(?:\s*[,(].*)?\s*$", re.IGNORECASE
)


@dataclass(frozen=True)
class Format:
    """One file format.

    claims: is this file (its content, not its name) the main file of such a record?
    companions: names of the other files that the main file (name, content) needs; may raise ECGError.
    main_names: for a file that is not a main file, the names its main file could have.
    read: files of exactly one record -> ECG.
    """

    name: str
    files: str
    extensions: tuple[str, ...]
    claims: Callable[[bytes], bool]
    companions: Callable[[str, bytes], tuple[str, ...]]
    main_names: Callable[[str], tuple[str, ...]]
    read: Callable[[Files], ECG]


def lead_name(words: str) -> str:
    """A lead's own name ("V1") in what files call it: "Lead V1", "v1", "Lead I (Einthoven)", "aVR, augmented ...".

    Anything else (Frank's "vx", "Pleth", an inverted "-aVR") comes back as "", which `ECG.from_leads` ignores.
    """
    found = _LEAD.match(words)
    return found.group(1) if found else ""


def years(value: str) -> float | None:
    """An age in years, or None for anything that is not between 0 and 130 ("NaN", "-1", "unknown")."""
    try:
        age = float(value)
    except ValueError:
        return None
    return age if 0 <= age <= 130 else None


def sex_of(value: str) -> Sex | None:
    """ "F", "female", "M", "Male" -> sex; anything else is unknown."""
    known: dict[str, Sex] = {"f": "female", "female": "female", "m": "male", "male": "male"}
    return known.get(value.strip().lower())


def check_rate(rate: float) -> None:
    """Raises ECGError outside 50-2,000 Hz (NaN included)."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise ECGError(f"The sampling rate must be {MIN_RATE:.0f} to {MAX_RATE:.0f} Hz; the file says {rate:g} Hz.")


def shortened(seconds: float) -> str:
    """The note that says a long recording was cut."""
    return f"Only the first {MAX_SECONDS:.0f} s of {seconds:.0f} s are read"
