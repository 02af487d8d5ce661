"""What makes a usable tracing doubtful: a sentence each, read beside the scores. What is worse, `quality` refuses.

Each limit was set so that it flags 1 in 100 real recordings or fewer. How many are flagged in all, and how many faults
are found: benchmarks/quality.py measures it, docs/LOG.md has the first figures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecgkt.ecg import ECG, LEADS
from ecgkt.measurements.delineation import Beats, delineate
from ecgkt.measurements.hidden_pacing import SENTENCE, may_be_paced
from ecgkt.measurements.median_beat import MedianBeat, median_beat
from ecgkt.measurements.r_peaks import RATE, band
from ecgkt.quality.lead_reversal import suspected_reversals
from ecgkt.quality.misread import ORDER, SENTENCES, suspected_misreading
from ecgkt.quality.resting import HARDLY_RESTS, resting_share
from ecgkt.quality.speed import too_slow
from ecgkt.quality.usable import FLAT, Row, clipped_share, span

SOME_MISSING = 0.01  # share of samples
PAUSE = 3.0  # s without a QRS (ACC/AHA/HRS 2018 bradycardia and conduction delay, Kusumoto et al.)
SOME_CLIPPED = 0.01  # share of a lead's samples; a QRS that touches the recorder's limit for 40 ms a beat is 4%
# Share of the lead's beat by which its beats differ (RMS of the median beat): 0.05 as a rule, 0.25 in 1% of recordings.
DISSIMILAR_BEATS = 0.35
TREMOR = 0.06  # fast noise (SD) as a share of the height of the lead's beat: 0.004 as a rule, 0.06 in 1% of recordings
# The right leg electrode is the ground and sits near the left leg: a lead between the two legs is nearly flat.
FLAT_LIMB_LEAD = {
    "I": "the arm and leg electrodes of both sides",
    "II": "right arm and right leg electrodes",
    "III": "left arm and right leg electrodes",
}
NEARLY_FLAT = 0.03  # span of a limb lead beside the largest of the three; 0.04 at least in real recordings
# mV, height of the median beat in the lead where it is highest: 1.0 to 5.3 in 500 recordings of PTB-XL, .71 to .98
# where each lead was scaled to span 1 mV (LUDB). A fifth of the usual size, and five times it, lie beyond as a rule.
WEAK, STRONG = 0.75, 5.4
ADULT = 18.0  # years
BEAT = (0.06, 0.30)  # s before and after R


def quality_warnings(
    ecg: ECG, beats: Beats | None = None, beat: MedianBeat | None = None, resting: float | None = None
) -> tuple[str, ...]:
    """Sentences about a tracing that `usable.assess` lets pass; none for a good one.

    beats, beat, resting: from `delineate`, `median_beat` and `resting_share`, if they are known already.
    """
    beats = delineate(ecg) if beats is None else beats
    beat = median_beat(ecg, beats) if beat is None else beat
    kept = band(np.nan_to_num(ecg.resampled(RATE).signal.astype(float)), 0.5, 40.0)
    found = doubtful_recording(ecg, beats, beat, kept, resting_share(ecg) if resting is None else resting)
    if beats.pacing.chamber in ("ventricular", "dual-chamber"):
        return found  # a paced beat starts elsewhere: its leads say nothing of their order
    return (*found, *too_slow(beats, beat), *_misread(beats, beat, kept))


def doubtful_recording(ecg: ECG, beats: Beats, beat: MedianBeat | None, kept: Row, resting: float) -> tuple[str, ...]:
    """Sentences about patient, pacing and signal; those on leads and time are left out. kept: [12, samples] mV at RATE,
    0.5 to 40 Hz."""
    missing = 1 - float(np.isfinite(ecg.signal).mean())
    signal = np.nan_to_num(ecg.signal.astype(float))
    found = []
    if ecg.age is not None and ecg.age < ADULT:
        found.append(f"The patient is under {ADULT:.0f}: the scores are of adults' ECGs and do not answer for a child.")
    if beats.pacing.chamber is not None:
        found.append(
            f"Paced rhythm ({beats.pacing.chamber}): scores of conduction, infarction and ST-T are not reliable."
        )
    elif may_be_paced(beats, beat):
        found.append(SENTENCE)
    if missing > SOME_MISSING:
        found.append(f"{100 * missing:.0f}% of the samples are missing.")
    found += _without_beats(beats, ecg.seconds)
    clipped = _leads([clipped_share(row, ecg.rate) > SOME_CLIPPED for row in signal])
    if clipped:
        found.append(f"The signal is clipped in places in {clipped}.")
    noisy = _leads(_noisy(kept, beats))
    if noisy:
        found.append(f"Excessive noise in {noisy}.")
    if resting < HARDLY_RESTS:
        found.append("The signal hardly rests at one level between beats: a wide rhythm, or not an ECG.")
    if beat is not None:
        found += _amplitude(float(np.ptp(beat.signal, axis=1).max()))
    return (*found, *_flat_limb_lead(span(signal[:3]).tolist()))


def _misread(beats: Beats, beat: MedianBeat | None, kept: Row) -> tuple[str, ...]:
    """Which cables seem exchanged, where nothing worse seems to have happened to the leads or to time."""
    way = suspected_misreading(beats, beat, kept)
    if way is not None and way != ORDER:
        return (SENTENCES[way],)
    return suspected_reversals(beat) or ((SENTENCES[way],) if way else ())


def _without_beats(beats: Beats, seconds: float) -> list[str]:
    """What is told of the longest stretch without a QRS, where that is too long."""
    edges = np.concatenate([[0.0], beats.r_times, [seconds]])
    longest = int(np.argmax(np.diff(edges)))
    start, end = float(edges[longest]), float(edges[longest + 1])
    if not len(beats.beats) or end - start <= PAUSE:
        return []
    return [f"No QRS complex from {start:.1f} to {end:.1f} s: a pause, or the signal was lost."]


def _leads(flags: Sequence[bool]) -> str:
    return ", ".join(lead for lead, flag in zip(LEADS, flags, strict=True) if flag)


def _amplitude(height: float) -> list[str]:
    """height: mV of the median beat in the lead where it is highest."""
    if height < WEAK:
        return [f"The complexes are unusually small ({height:.2g} mV at most): low voltage, or the wrong scale."]
    if height > STRONG:
        return [f"The complexes are unusually large ({height:.2g} mV): high voltage, or the wrong scale."]
    return []


def _flat_limb_lead(spans: Sequence[float]) -> list[str]:
    """spans: mV of I, II and III."""
    if min(spans) >= NEARLY_FLAT * max(spans):
        return []
    lead = LEADS[int(np.argmin(spans))]
    return [f"Lead {lead} is nearly flat: {FLAT_LIMB_LEAD[lead]} may be reversed."]


def _noisy(signal: Row, beats: Beats) -> list[bool]:
    """Which leads tremble, or differ from beat to beat by more than is common. signal: at RATE, 0.5 to 40 Hz."""
    # Second differences at 125 Hz: white noise of SD s has sqrt(6) s, and the waves little. 0.6745: the median of |z|.
    bends = np.median(np.abs(np.diff(signal[:, ::2], 2, axis=1)), axis=1) / 0.6745 / np.sqrt(6)
    before, after = (round(s * RATE) for s in BEAT)
    centers = np.rint(beats.r_times * RATE).astype(int)
    whole = [c for c in centers if before <= c and c + after < signal.shape[1]]
    if len(whole) < 2:
        return [False] * len(LEADS)
    cuts: Row = np.stack([signal[:, c - before : c + after] for c in whole])
    cuts = cuts - cuts.mean(axis=2, keepdims=True)
    middle = np.median(cuts, axis=0)
    height = np.maximum(np.ptp(middle, axis=1), FLAT)
    away = np.sqrt(np.median(((cuts - middle) ** 2).mean(axis=2), axis=0))
    return [bool(flag) for flag in (bends > TREMOR * height) | (away > DISSIMILAR_BEATS * height)]
