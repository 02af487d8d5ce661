"""WFDB format 16, which MIMIC-IV-ECG and PTB-XL use throughout: a header line a lead and an array of int16.

wfdb reads any record but takes 3 ms for one; this takes less than 0.1 ms, and the tests hold it against wfdb. Reasons
to leave a record out are fit for counting: they never name the record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import ECG, LEAD_INDEX, LEADS, ECGError

MISSING = -32768  # WFDB's mark of a missing sample in format 16
LARGEST = 16 * 2**20  # bytes of a record's file; 10 s of 12 leads at 500 Hz are 120 kB
_UNITS = {"mv": 1.0, "uv": 1e-3, "v": 1e3}
_GAIN = re.compile(r"^([-+\d.eE]+)(?:\(([-+\d]+)\))?(?:/(\S+))?$")


@dataclass(frozen=True)
class Layout:
    """What a header says of its samples. rate: Hz; samples: of each channel; order: channel of each lead of `LEADS`.

    gains (ADC units/mV) and baselines (ADC units) are those of the leads, in the same order.
    """

    rate: float
    samples: int
    channels: int
    order: tuple[int, ...]
    gains: tuple[float, ...]
    baselines: tuple[float, ...]

    def ecg(self, raw: npt.NDArray[np.int16]) -> ECG:
        """raw [samples, channels] ADC units -> ECG in mV, leads by name, NaN where samples are missing."""
        ordered = raw.T[list(self.order)]
        gains, baselines = np.array([self.gains, self.baselines], dtype=np.float32)
        signal = (ordered.astype(np.float32) - baselines[:, None]) / gains[:, None]
        signal[ordered == MISSING] = np.nan
        return ECG(signal, self.rate)


def read_header(content: bytes, record: str) -> Layout:
    """The header of the record called `record`, whose samples must be in RECORD.dat. Raises ECGError with a reason."""
    lines = [line for line in content.decode("latin-1").splitlines() if line and line[0] != "#"]
    try:
        count, rate, samples = lines[0].split(None, 4)[1:4]
        fields = [line.split(maxsplit=8) for line in lines[1 : int(count) + 1]]
        channels = tuple((field[2], field[4], field[8]) for field in fields)
    except (ValueError, IndexError):
        raise ECGError("unreadable header") from None
    if len(fields) != int(count) or any(field[0] != f"{record}.dat" for field in fields):
        raise ECGError("unreadable header")
    if any(field[1] != "16" for field in fields):
        raise ECGError("not WFDB format 16")
    return _layout(rate, samples, channels)


@lru_cache(maxsize=1024)  # a data set has a handful of layouts
def _layout(rate: str, samples: str, channels: tuple[tuple[str, str, str], ...]) -> Layout:
    names = [name.strip().upper() for _, _, name in channels]
    if missing := [lead for lead in LEADS if lead.upper() not in names]:
        raise ECGError("leads missing" if len(missing) > 1 else "a lead missing")
    if any(names.count(lead) > 1 for lead in LEAD_INDEX):
        raise ECGError("a lead twice")
    order = tuple(names.index(lead.upper()) for lead in LEADS)
    try:
        hertz, length = float(rate.split("/")[0].split("(")[0]), int(samples)
        scales = [_scale(*channels[channel][:2]) for channel in order]
    except (ValueError, KeyError):
        raise ECGError("unreadable header") from None
    if not (np.isfinite(scales).all() and 0 < hertz < 1e6 and length > 1 and 2 * length * len(names) <= LARGEST):
        raise ECGError("unreadable header")
    gains, baselines = (tuple(column) for column in zip(*scales, strict=True))
    return Layout(hertz, length, len(names), order, gains, baselines)


def _scale(text: str, adc_zero: str) -> tuple[float, float]:
    """ADC units/mV and the ADC value of 0 mV."""
    matched = _GAIN.match(text)
    gain, baseline, unit = matched.groups() if matched else ("", "", "")
    # WFDB: a gain of 0 means that none was stated, and 200 per mV is then assumed.
    return (float(gain) or 200.0) / _UNITS[(unit or "mV").lower()], float(baseline or adc_zero)


def samples_of(layout: Layout, content: bytes) -> npt.NDArray[np.int16]:
    """[samples, channels] ADC units from the bytes of the .dat file. Raises ECGError where they end too early."""
    if len(content) < 2 * layout.samples * layout.channels:
        raise ECGError("truncated signal file")
    raw = np.frombuffer(content, dtype="<i2", count=layout.samples * layout.channels)
    return raw.reshape(layout.samples, layout.channels)
