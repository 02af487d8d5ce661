"""The one shape an ECG has in this project: 12 leads in standard order, millivolts, its own sampling rate.

Readers make an `ECG` by lead *name* (`ECG.from_leads`), so a file's own lead order (MIMIC-IV-ECG stores aVF before
aVL) never reaches anything downstream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
LEAD_INDEX = {name.upper(): i for i, name in enumerate(LEADS)}

# What Einthoven's and Goldberger's definitions make of leads I and II: lead -> (share of I, share of II). With limb
# electrodes RA, LA, LL: I = LA - RA, II = LL - RA, III = LL - LA, aVR = RA - (LA + LL) / 2 and so on.
FROM_I_AND_II = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}
INDEPENDENT = tuple(lead for lead in LEADS if lead not in FROM_I_AND_II)  # the eight from which those follow

# Hz. Far beyond what any recorder has: at a rate of .001 ten seconds would become terabytes once resampled.
SLOWEST, FASTEST = 10.0, 1e5

Sex = Literal["female", "male"]
FloatArray = npt.NDArray[np.float32]


class ECGError(ValueError):
    """Input that cannot be used. The message is one clear sentence without anything that identifies a patient."""


def derived_limb_leads(one: np.ndarray, two: np.ndarray) -> dict[str, np.ndarray]:
    """III, aVR, aVL and aVF from leads I and II, of any shape and unit."""
    return {lead: first * one + second * two for lead, (first, second) in FROM_I_AND_II.items()}


def age_band(age: float | None) -> str:
    """Ten years, no more: an exact age is not shown."""
    if age is None:
        return "age unknown"
    if age >= 90:
        return "90 years or older"
    decade = int(age // 10) * 10
    return f"{decade}–{decade + 9} years"


@dataclass(frozen=True)
class ECG:
    """A 12-lead tracing.

    signal: [12, samples] float32, millivolts, leads in the order of `LEADS`; NaN where nothing was recorded.
    rate: samples per second (Hz).
    age: years, None if unknown. sex: "female", "male", None if unknown.
    notes: what a reader had to derive or assume, in words for the user.
    """

    signal: FloatArray
    rate: float
    age: float | None = None
    sex: Sex | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.signal.ndim != 2 or self.signal.shape[0] != len(LEADS):
            raise ECGError(f"An ECG needs 12 leads x samples, this one has the shape {self.signal.shape}.")
        if not SLOWEST <= self.rate <= FASTEST:
            raise ECGError(f"The sampling rate {self.rate} Hz makes no sense.")
        if np.isinf(self.signal).any():
            raise ECGError("The tracing holds infinite numbers.")
        if self.signal.shape[1] < 2:
            raise ECGError("The tracing has no samples.")

    @classmethod
    def from_leads(
        cls,
        names: Sequence[str],
        signal: npt.NDArray[np.floating],
        rate: float,
        age: float | None = None,
        sex: Sex | None = None,
        notes: Sequence[str] = (),
    ) -> ECG:
        """Order `signal` [leads, samples] (mV) by lead name; derive III, aVR, aVL, aVF from I and II if absent.

        Lead names are compared without regard to case; channels with other names are ignored.
        Raises ECGError when a lead is missing and cannot be derived, or stands there twice.
        """
        rows: dict[str, FloatArray] = {}
        for name, row in zip(names, np.asarray(signal, dtype=np.float32), strict=True):
            key = name.strip().upper()
            if key not in LEAD_INDEX:
                continue
            if key in rows:
                raise ECGError(f"Lead {LEADS[LEAD_INDEX[key]]} is in the file twice.")
            rows[key] = row
        notes = list(notes)
        held = ", ".join(lead for lead in LEADS if lead.upper() in rows)
        if "I" in rows and "II" in rows:
            derived = derived_limb_leads(rows["I"], rows["II"])
            added = {lead: row for lead, row in derived.items() if lead.upper() not in rows}
            if added:
                rows.update({lead.upper(): row for lead, row in added.items()})
                notes.append(f"{', '.join(added)} derived from I and II")
        missing = [lead for lead in LEADS if lead.upper() not in rows]
        if missing:
            lacks = f"{'lead' if len(missing) == 1 else 'leads'} {', '.join(missing)}"
            raise ECGError(f"The recording lacks {lacks}; it holds {held or 'none of the 12'}.")
        ordered = np.stack([rows[lead.upper()] for lead in LEADS]).astype(np.float32)
        return cls(ordered, float(rate), age, sex, tuple(notes))

    @property
    def samples(self) -> int:
        return int(self.signal.shape[1])

    @property
    def seconds(self) -> float:
        return self.samples / self.rate

    def resampled(self, rate: float) -> ECG:
        """The same tracing at `rate` Hz by polyphase filtering, edges held; NaN stretches stay NaN."""
        if rate == self.rate:
            return self
        ratio = Fraction(rate / self.rate).limit_denominator(1000)
        missing = ~np.isfinite(self.signal)
        filled = np.where(missing, 0, self.signal)
        out = resample_poly(filled, ratio.numerator, ratio.denominator, axis=1, padtype="line")
        out = out if out.shape[1] > 1 else np.repeat(out, 2, axis=1)  # an ECG has two
        if missing.any():
            at = np.minimum((np.arange(out.shape[1]) * self.rate / rate).astype(int), self.samples - 1)
            out[missing[:, at]] = np.nan
        return ECG(out.astype(np.float32), rate, self.age, self.sex, self.notes)

    def crop(self, start: float, seconds: float) -> ECG:
        """The stretch of `seconds` that begins `start` seconds in (as much of it as there is)."""
        first = max(0, round(start * self.rate))
        last = min(self.samples, first + round(seconds * self.rate))
        return ECG(self.signal[:, first:last], self.rate, self.age, self.sex, self.notes)
