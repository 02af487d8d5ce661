"""Is this a usable 12-lead tracing? What fails here the model abstains from; what is only doubtful:
`ecgkt.quality.warnings`.

Every limit was set so that real recordings pass and junk does not: see the constants for the reason of each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import ECG, FROM_I_AND_II, INDEPENDENT, LEADS
from ecgkt.measurements.delineation import Beats, delineate
from ecgkt.prediction import Quality
from ecgkt.quality.resting import NEVER_RESTS, resting_share

SHORTEST = 5.0  # s: half of what the model was trained on, four beats at 48 a minute
FLAT = 0.005  # mV: span of a lead with no signal; one step of a 12-bit recorder is about as much
CONSTANT_VALUES = 20  # different values in a lead; fewer are a line with the last digit of a converter
MOST_FLAT_LEADS = 0  # a lead off is a lead the model has never been without
MOST_MISSING = 0.20  # share of samples; MIMIC-IV-ECG's gaps are short, a lost electrode takes 25% (3 of 12 leads)
MOST_CLIPPED = 0.05  # share of a lead's samples at its own extreme; a QRS peak stays there for a sample or two
CLIPPED_RUN = 0.04  # s at an extreme that count as clipped; 40 ms is half a QRS
HELD = 0.15  # s at one value at a tracing's very beginning or end that are padding: .11 to .13 in some of PTB-XL
LARGEST = 20.0  # mV: the range of a bedside recorder is +-5 to +-10 mV; beyond it the unit is wrong (uV as mV)
SMALLEST_QRS = 0.05  # mV, median over leads: "low voltage" is 0.5 mV; a tenth of that is no body's (mV as V)
# Share of the first principal component of the eight independent leads, each to its own scale: real leads look at the
# heart from different sides (0.95 at most in 2,400 recordings). One lead twelve times is 1, a little less with noise.
COPIED = 0.97
# In a wide tachycardia, whose waves may run alike in all leads: 0.95 to 0.99 in a tenth of those simulated.
COPIED_WIDE = 0.995
# Correlation of II with its best mixture of I and III, and the smallest share either may have in it (swapped leads show
# as -1). Recorders compute III from I and II: above 0.999 and 0.03 in every real recording here.
EINTHOVEN, EINTHOVEN_SHARE = 0.8, -0.3
# The same for what the augmented leads are of I and II (Goldberger): correlation above 0.997 in every real recording.
GOLDBERGER_SHARE = -0.1
# Median speed over the peak speed at QRS: at most 0.42 in 360 real recordings, 0.65 and more in noise of any color.
MOST_NOISE = 0.55
SLOWEST, FASTEST = 20.0, 300.0  # beats a minute; beyond it is not a rhythm that QRS detection followed
HUGE = f"Amplitudes above {LARGEST:.0f} mV are implausible for an ECG; the unit may be wrong (µV taken for mV)."
TINY = "Amplitudes of a few µV are implausible for an ECG; the unit may be wrong (mV taken for µV)."
RESTLESS = "The signal never rests at one level between beats, as an ECG does: this is not an ECG."
ALIKE_BEATS = 0.05  # mean correlation between beats: 0.1 (every beat ectopic) to 1 in recordings, 0.02 at most in noise

Row = npt.NDArray[np.float64]


def assess(ecg: ECG, beats: Beats | None = None, resting: float | None = None) -> Quality:
    """Not ok, with a sentence for each reason, if a tracing is too short, incomplete, or no 12-lead ECG.

    beats, resting: from `delineate` and `resting_share`, if they are known already.
    """
    signal = ecg.signal.astype(float)
    finite = np.isfinite(signal)
    reasons: list[str] = []
    if ecg.seconds < SHORTEST:
        reasons.append(f"The tracing is {ecg.seconds:.1f} s long; at least {SHORTEST:.0f} s are needed.")
    missing = 1 - float(finite.mean())
    if missing > MOST_MISSING:
        reasons.append(f"{100 * missing:.0f}% of the samples are missing.")
    filled = np.where(finite, signal, 0.0)
    spans = span(filled)
    flat = [lead for lead, mv in zip(LEADS, spans, strict=True) if mv < FLAT]
    if len(flat) == len(LEADS):
        reasons.append("There is no signal in any lead." if _constant(filled) else TINY)
    elif len(flat) > MOST_FLAT_LEADS:
        reasons.append(f"No signal in {', '.join(flat)}.")
    if len(flat) == len(LEADS) or ecg.seconds < 1:
        return Quality(False, tuple(reasons))
    if np.abs(filled).max() > LARGEST and np.median(spans) > LARGEST:
        reasons.append(HUGE)
    clipped = [lead for lead, row in zip(LEADS, filled, strict=True) if clipped_share(row, ecg.rate) > MOST_CLIPPED]
    clipped = [lead for lead in clipped if lead not in flat]
    if clipped:
        reasons.append(f"The signal is clipped in {', '.join(clipped)}.")
    if flat:
        return Quality(False, tuple(reasons))
    beats = delineate(ecg) if beats is None else beats
    reasons += _leads_agree(filled, spans, COPIED_WIDE if beats.is_wide_tachycardia else COPIED)
    reasons += _rhythm(ecg, filled, spans, beats)
    if not reasons and (resting_share(ecg) if resting is None else resting) < NEVER_RESTS:
        reasons.append(RESTLESS)
    return Quality(not reasons, tuple(reasons))


def _constant(signal: Row) -> bool:
    """Does every lead hold one value, give or take a last digit? A recording too small by 1000 has many."""
    return all(len(np.unique(row)) < CONSTANT_VALUES for row in signal)


def span(rows: Row) -> Row:
    """mV between the 0.5% and 99.5% quantile of each of `rows` [..., samples]: a single spike makes no lead alive."""
    low, high = np.percentile(rows, [0.5, 99.5], axis=-1)
    return np.asarray(high - low)


def clipped_share(row: Row, rate: float) -> float:
    """Share of samples in runs of `CLIPPED_RUN` s or more at the lead's highest or lowest value.

    Not those at either end of up to `HELD` s: there the last value is held where the recorder's filter has no more.
    """
    share, least = 0.0, max(3, CLIPPED_RUN * rate)
    for extreme in (row.max(), row.min()):
        if abs(extreme) < FLAT:  # a stretch of zeros is missing signal, not saturation
            continue
        at = row == extreme
        if np.count_nonzero(at) < least:
            continue
        edges = np.flatnonzero(np.diff(np.concatenate(([0], at, [0])).astype(int)))
        runs = edges[1::2] - edges[::2]
        outermost = (edges[::2] == 0) | (edges[1::2] == len(row))
        share += float(runs[(runs >= least) & ~(outermost & (runs <= HELD * rate))].sum()) / len(row)
    return share


def _leads_agree(signal: Row, spans: Row, copied: float) -> list[str]:
    centered = signal - signal.mean(axis=1, keepdims=True)
    scaled = centered / np.linalg.norm(centered, axis=1, keepdims=True)
    independent = scaled[[LEADS.index(lead) for lead in INDEPENDENT]]
    if np.linalg.eigvalsh(independent @ independent.T)[-1] > copied * len(independent):
        return ["All leads are the same signal: this is not a 12-lead recording."]
    # Leads may have been scaled one by one, so any mixture of I and III may make II; least squares finds it.
    sized = centered / spans[:, None]
    one, two, three = sized[:3]
    if not _follows(two, (one, three), (1, 1), EINTHOVEN_SHARE):
        return ["Leads I, II and III are inconsistent (II should be I + III): not a standard 12-lead recording."]
    rows = dict(zip(LEADS, sized, strict=True))
    wrong = [
        lead
        for lead in ("aVR", "aVL", "aVF")
        if not _follows(rows[lead], (one, two), FROM_I_AND_II[lead], GOLDBERGER_SHARE)
    ]
    if wrong:
        is_one = len(wrong) == 1
        verb, which = ("is", "it") if is_one else ("are", "them")
        return [f"{', '.join(wrong)} {verb} inconsistent with I and II, which define {which}: leads may be mislabeled."]
    return []


def _follows(row: Row, sources: tuple[Row, Row], signs: tuple[float, float], least: float) -> bool:
    """Is `row` a mixture of `sources` with shares of the signs of `signs` (at least `least` on the right side)?"""
    both = np.stack(sources, axis=1)
    shares, *_ = np.linalg.lstsq(both, row, rcond=None)
    fitted = both @ shares
    if fitted.std() == 0 or np.corrcoef(fitted, row)[0, 1] < EINTHOVEN:
        return False
    return bool((shares * np.sign(signs)).min() >= least)


def _rhythm(ecg: ECG, signal: Row, spans: Row, beats: Beats) -> list[str]:
    rate = beats.heart_rate
    if rate is None:
        return ["No QRS complexes were found."]
    reach = max(1, round(0.05 * ecg.rate))
    length = signal.shape[1]
    centers = [c for c in np.rint(beats.r_times * ecg.rate).astype(int) if reach <= c < length - reach]
    if len(centers) < 2:
        return ["No QRS complexes were found."]
    cuts = np.stack([signal[:, c - reach : c + reach] for c in centers])
    cuts = cuts - cuts.mean(axis=2, keepdims=True)
    height = float(np.median(np.ptp(np.median(cuts, axis=0), axis=1)))
    if height < SMALLEST_QRS:
        return [f"QRS complexes of {height:.2f} mV are implausibly small; the unit in the file may be wrong."]
    if not SLOWEST <= rate <= FASTEST:
        return [f"R peaks could not be detected reliably (apparent rate {rate:.0f}/min)."]
    units = cuts.reshape(len(cuts), -1)
    units = units / (np.linalg.norm(units, axis=1, keepdims=True) + 1e-9)
    # The mean correlation between every two different beats, from the length of their sum.
    alike = float((np.linalg.norm(units.sum(axis=0)) ** 2 - len(units)) / (len(units) * (len(units) - 1)))
    speed = np.sqrt(np.mean(np.gradient(signal / spans[:, None], axis=1) ** 2, axis=0))
    steepest = np.median([speed[c - reach : c + reach].max() for c in centers])  # 0 if every second sample is the same
    if alike < ALIKE_BEATS or np.median(speed) > MOST_NOISE * steepest or steepest == 0:
        return ["The tracing is too noisy: no consistent QRS complexes could be identified."]
    return []
