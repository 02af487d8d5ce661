"""What is looked at in every recording whatever its format: amplitude, order of samples, calibration, copied leads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import ECG, INDEPENDENT, LEADS, ECGError

Rows = npt.NDArray[np.float32]

# mV. Recorders saturate at a third of it (16 bits of 5-10 uV, electrode offset included): beyond it the scale is wrong.
LARGEST_MV = 1000.0
# mV, far below what any recorder resolves. Smaller numbers are 0: processors take ten times as long for those that are
# nearly too small for their format, which no recording holds.
LEAST_MV = 1e-9
# mV from a lead's median: the range of a recorder is +-5 to +-10 mV, a lost electrode reached 27 in real recordings.
DOUBTED_MV = 20.0
# Step from sample to sample (RMS) over the SD, median over leads: numbers of another byte order, format or order of
# samples jump. White noise has 1.41. In some 1,000 real recordings: 0.78 at most, at 100 Hz 1.04.
JUMBLED = 1.2
JUMBLED_AND_LARGE = 0.5  # of recordings beyond `DOUBTED_MV`, 0.27 at most in real ones; misread bytes come to 0.65
COARSE_RATE, FINE_RATE = 100.0, 250.0  # Hz; where a QRS takes few samples, an ECG jumps, too
# A calibration pulse is drawn by the recorder into all leads at once, give or take the rounding of a conversion.
ALIKE_MV = 0.025
SHORTEST_PULSE = 0.1  # s
PULSE_MV = (0.4, 2.5)  # lowest to highest; 1 mV by IEC 60601-2-25, twice or half at another gain
SHORTEST_TRACING = 1.0  # s that a pulse must leave

_INDEPENDENT = [LEADS.index(lead) for lead in INDEPENDENT]


def checked(ecg: ECG) -> ECG:
    """The ECG without calibration pulse, with notes of what is doubted. Raises ECGError for what can be none."""
    ecg = _nothing_tiny(ecg)
    if not (np.abs(ecg.signal[~np.isnan(ecg.signal)]) <= LARGEST_MV).all():
        raise ECGError("The amplitudes are beyond all measure, so the unit or scale must be wrong.")
    ecg = _without_calibration(ecg)
    rows = ecg.signal[_INDEPENDENT]
    alike = _alike(rows)
    if alike.all() and np.ptp(rows[0]) > PULSE_MV[0]:
        raise ECGError("All leads hold one and the same waveform: this is not a 12-lead recording.")
    known = np.stack([_about_median(row) for row in rows])
    largest = max(float(np.abs(_about_median(row)).max()) for row in ecg.signal)
    deviation = known.std(axis=1)
    moving = deviation > 0
    steps = np.sqrt(np.mean(np.diff(known, axis=1) ** 2, axis=1))
    jumps = float(np.median(steps[moving] / deviation[moving])) if moving.any() else 0.0
    fine = ecg.rate >= FINE_RATE and largest > DOUBTED_MV
    if ecg.rate >= COARSE_RATE and jumps > (JUMBLED_AND_LARGE if fine else JUMBLED):
        raise ECGError(
            "The samples jump as no ECG does: they are stored in another order or number format than the file states."
        )
    if largest > DOUBTED_MV:
        return replace(
            ecg, notes=(*ecg.notes, f"Samples reach {largest:.0f} mV: an electrode came off, or the scale is wrong")
        )
    return ecg


def _nothing_tiny(ecg: ECG) -> ECG:
    tiny = (np.abs(ecg.signal) < LEAST_MV) & (ecg.signal != 0)
    return replace(ecg, signal=np.where(tiny, np.float32(0), ecg.signal)) if tiny.any() else ecg


def _about_median(row: Rows) -> npt.NDArray[np.float64]:
    """The lead about its median, 0 where samples were lost."""
    known = np.isfinite(row)
    about = np.zeros(len(row))
    if known.any():
        about[known] = row[known] - np.median(row[known])
    return about


def _alike(rows: Rows) -> npt.NDArray[np.bool_]:
    """[samples] where all leads hold one value; a lost sample is like no other."""
    return np.ptp(rows, axis=0) <= ALIKE_MV


def _without_calibration(ecg: ECG) -> ECG:
    for place in ("end", "beginning"):
        backward = ecg.signal[_INDEPENDENT][:, :: -1 if place == "end" else 1]
        different = np.flatnonzero(~_alike(backward))
        length = int(different[0]) if different.size else 0  # alike throughout: no pulse
        if length < SHORTEST_PULSE * ecg.rate or ecg.samples - length < SHORTEST_TRACING * ecg.rate:
            continue
        if not PULSE_MV[0] <= float(np.ptp(np.median(backward[:, :length], axis=0))) <= PULSE_MV[1]:
            continue  # a stretch of no signal
        kept = np.s_[:, : ecg.samples - length] if place == "end" else np.s_[:, length:]
        note = f"The calibration pulse at the {place} is left out"
        ecg = replace(ecg, signal=ecg.signal[kept], notes=(*ecg.notes, note))
    return ecg
