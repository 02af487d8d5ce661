"""Where each beat's P, QRS and T lie: light enough for every page view, good enough to name the wave a score rests on.

Pacemaker spikes are cut out (`pacing`), R peaks found (`r_peaks`), and each beat's boundaries taken from a small
network (`wave_network`), one set for all leads; which P wave belongs to which beat is told by `p_waves`. The errors at
each boundary, beside other delineators: benchmarks/delineation.md; intervals against what devices print:
benchmarks/measurements.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import ECG
from ecgkt.measurements import rate
from ecgkt.measurements.flutter import Flutter, flutter
from ecgkt.measurements.p_waves import Kind, PWaves, Wave, p_waves, stretches
from ecgkt.measurements.pacing import ALONE, Pacing, atrial_too, before_qrs, blanked, candidates, pacing
from ecgkt.measurements.r_peaks import RATE, SIMILAR, Signal, band, r_peaks
from ecgkt.measurements.wave_network import OUT_RATE, wave_probabilities

Segment = Literal["P", "PR", "QRS", "ST", "T", "TP"]
SEGMENTS: tuple[Segment, ...] = ("P", "PR", "QRS", "ST", "T", "TP")

BEFORE, AFTER = 0.36, 0.60  # s of the median beat around R, the latter cut to the RR interval
QRS_REACH = (0.13, 0.20)  # s before and after R within which QRS begins and ends
SHORTEST_QRS = 0.04  # s
USUAL_QRS = (-0.04, 0.05)  # s from R, where the network sees no QRS at all
NO_QRS, ENOUGH = 0.3, 0.5  # a peak whose QRS probability is below NO_QRS is none where most others are above ENOUGH
SEEN, MISSED_QRS, APART = 0.9, 0.06, 0.2  # probability and s of a QRS that only the network saw, s from any other
CUT_OFF = 0.04  # s from the tracing's ends within which an R peak is that of a QRS cut in two
LONGEST_T = 0.62  # s from the end of QRS to the end of T
T_GAP = 0.06  # s between two parts of one T wave
ST_LEAST = 0.06  # s after the J point that are ST by name: raised or depressed it runs into T, which then begins at J
# A minute, s: tachycardia and a wide QRS by definition (ACC/AHA/HRS 2015, AHA/ACCF/HRS 2009).
FAST, WIDE_QRS = 100.0, 0.12
P_REACH = 0.30  # s before QRS that go without a name where it is not sure whether there is a P wave
# s added to the network's boundaries, which follow LUDB's annotators (QRS, T) and the simulator (P): what devices print
# is shorter (benchmarks/measurements.md), as the outermost of twelve leads catches noise that their averages do not.
SHIFT = {"p_onset": 0.0, "p_offset": -0.006, "qrs_onset": 0.005, "qrs_offset": -0.007, "t_onset": 0.0, "t_offset": 0.0}


@dataclass(frozen=True)
class Beat:
    """Times in s from the tracing's start. p_onset and p_offset are None where no P wave was found (as in atrial
    fibrillation), t_onset and t_offset where no T wave was. typical: False for a premature or other foreign beat."""

    r: float
    p_onset: float | None
    p_offset: float | None
    qrs_onset: float
    qrs_offset: float
    t_onset: float | None
    t_offset: float | None
    typical: bool = True


@dataclass(frozen=True)
class Beats:
    """All beats of a tracing in order; empty where no QRS was found.

    pacing: a pacemaker's spikes. atrial: how P waves stand to QRS, "unsure" where it cannot be told. flutter: its
    waves, sought where no P wave was surely found. p_waves: (onset, end) of all P waves, those that belong to no beat
    included, s. confidence: of "P", "QRS" and "T", 0 to 1 (mean
    probability that the wave network gives to the stretch, or to the place before QRS where P is surest).
    """

    beats: tuple[Beat, ...]
    pacing: Pacing = field(default_factory=Pacing)
    atrial: Kind = "before every QRS"
    p_waves: tuple[tuple[float, float], ...] = ()
    confidence: dict[str, float] = field(default_factory=dict)
    flutter: Flutter | None = None

    @property
    def r_times(self) -> Signal:
        """R peaks, s."""
        return np.array([beat.r for beat in self.beats])

    @property
    def heart_rate(self) -> float | None:
        """Beats a minute, the mean over the recording; None with fewer than two beats."""
        return rate.mean_rate(self.r_times)

    @property
    def is_wide_tachycardia(self) -> bool:
        """Above 100/min with a QRS of 120 ms and more, whatever it is: its leads may well be alike, or upside down."""
        widths = [beat.qrs_offset - beat.qrs_onset for beat in self.beats]
        return (self.heart_rate or 0.0) > FAST and float(np.median(widths)) >= WIDE_QRS

    @property
    def rate_range(self) -> tuple[float, float] | None:
        """Lowest and highest rate from one beat to the next; None where the rhythm is regular."""
        return rate.rate_range(self.r_times)

    def wave_at(self, times: npt.ArrayLike) -> npt.NDArray[np.str_]:
        """The segment that each time (s) lies in: one of `SEGMENTS`, or "" where no beat tells, or none surely.

        PR runs from the end of P to QRS (without a P wave, TP runs up to QRS), ST from QRS to T and `ST_LEAST` at the
        least, as far as T reaches.
        """
        at = np.asarray(times, dtype=float)
        out = np.full(at.shape, "", dtype="<U3")
        for i, beat in enumerate(self.beats):
            following = self.beats[i + 1] if i + 1 < len(self.beats) else None
            t_onset = beat.t_onset
            if t_onset is not None and beat.t_offset is not None:
                t_onset = min(max(t_onset, beat.qrs_offset + ST_LEAST), beat.t_offset)
            edges: list[tuple[Segment, float | None, float | None]] = [
                ("QRS", beat.qrs_onset, beat.qrs_offset),
                ("ST", beat.qrs_offset, t_onset),
                ("T", t_onset, beat.t_offset),
            ]
            if following is not None:
                start = beat.t_offset if beat.t_offset is not None else beat.qrs_offset
                until = following.qrs_onset if following.p_onset is None else following.p_onset
                edges.append(("TP", start, following.qrs_onset - P_REACH if self.atrial == "unsure" else until))
            if self.atrial != "unsure":  # after the T wave before, in which P may lie
                edges = [("P", beat.p_onset, beat.p_offset), ("PR", beat.p_offset, beat.qrs_onset), *edges]
            for name, first, last in edges:
                if first is not None and last is not None:
                    out[(at >= first) & (at < last)] = name
        return out

    def masks(self, samples: int, rate: float) -> dict[Segment, npt.NDArray[np.bool_]]:
        """Segment -> [samples] mask at `rate` Hz; a sample belongs to one segment at most."""
        names = self.wave_at(np.arange(samples) / rate)
        return {segment: names == segment for segment in SEGMENTS}


def delineate(ecg: ECG) -> Beats:
    """R peaks and wave boundaries; no beats rather than an error where the tracing holds no QRS."""
    if ecg.seconds < 1:
        return Beats(())
    steep = candidates(ecg)
    plain = steep.at[steep.alone >= ALONE]
    signal = _at_rate(blanked(ecg, plain))
    peaks = r_peaks(signal)
    spikes = before_qrs(steep, ecg.rate, peaks / RATE)
    if not np.array_equal(spikes, plain):  # seldom, and what was found without them is of no use then
        signal = _at_rate(blanked(ecg, spikes))
        peaks = r_peaks(signal)
    if len(peaks) < 2:
        return Beats(())
    kept = band(signal, 0.5, 40.0)
    probability = wave_probabilities(signal, kept)
    peaks = _checked(peaks, probability[1], signal)
    if len(peaks) < 2:
        return Beats(())
    r = peaks / RATE
    typical = _typical(kept, peaks)
    qrs = _qrs(probability[1], r)
    p = p_waves(probability[0], np.array([onset for onset, _ in qrs]), typical)
    t = _t_waves(probability[2], qrs, signal.shape[1] / RATE)
    confidence = {"P": p.confidence, "QRS": _mean(probability[1], qrs), "T": _mean(probability[2], t)}
    beats = _beats(r, qrs, p, t, typical)
    paced = atrial_too(ecg, pacing(spikes / ecg.rate, np.array([beat.qrs_onset for beat in beats])))
    every = tuple((onset + SHIFT["p_onset"], end + SHIFT["p_offset"]) for onset, end, _ in p.every)
    waves = None
    if p.kind != "before every QRS" and paced.chamber is None:
        waves = flutter(signal, [(beat.qrs_onset, beat.qrs_offset) for beat in beats])
    return Beats(tuple(beats), paced, p.kind, every, confidence, waves)


def _at_rate(ecg: ECG) -> Signal:
    return np.nan_to_num(ecg.resampled(RATE).signal.astype(float))


def _checked(peaks: npt.NDArray[np.intp], qrs: Signal, signal: Signal) -> npt.NDArray[np.intp]:
    """`peaks` without those that the network takes for no QRS, with the QRS complexes that only it has seen.

    Unchanged where the network does not know most of the peaks as QRS: a rhythm that it was never shown.
    """
    at = np.rint(peaks * OUT_RATE / RATE).astype(int)
    reach = round(0.06 * OUT_RATE)
    highest = np.array([qrs[max(0, k - reach) : k + reach + 1].max() for k in at])
    if (highest > ENOUGH).mean() <= 0.5:
        return peaks
    inside = (peaks >= CUT_OFF * RATE) & (peaks < signal.shape[1] - CUT_OFF * RATE)  # half a beat is no beat to time
    kept = peaks[(highest >= NO_QRS) & inside]
    size: Signal | None = None
    more = []
    for onset, end, high in stretches(qrs, least=MISSED_QRS):
        first, last = round(onset * RATE), round(end * RATE)
        alone = not len(kept) or np.abs(kept - (first + last) / 2).min() > APART * RATE
        if high >= SEEN and alone and first > 0 and last < signal.shape[1] - 2:
            size = np.abs(band(signal, 8.0, 30.0)).sum(axis=0) if size is None else size
            more.append(first + int(np.argmax(size[first : last + 1])))
    return np.unique(np.concatenate([kept, np.array(more, dtype=np.intp)]))


def _typical(kept: Signal, peaks: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """[beats]: does its QRS look like the median one? All do where no kind prevails. kept: 0.5 to 40 Hz."""
    reach = round(0.08 * RATE)
    wide = np.pad(kept, ((0, 0), (reach, reach)), mode="edge")
    cuts = np.stack([wide[:, k : k + 2 * reach + 1] for k in peaks])
    cuts = cuts - cuts.mean(axis=2, keepdims=True)
    middle = np.median(cuts, axis=0).ravel()
    size = np.linalg.norm(cuts.reshape(len(cuts), -1), axis=1) * np.linalg.norm(middle)
    alike = (cuts.reshape(len(cuts), -1) @ middle) > SIMILAR * size
    return np.asarray(alike if alike.sum() >= 3 else np.ones(len(peaks), dtype=bool))


def _qrs(probability: Signal, r: Signal) -> list[tuple[float, float]]:
    """Onset and end of QRS around each R (s); at the usual distance from R where the network saw none."""
    found = stretches(probability, least=0.016)
    edges: list[tuple[float, float] | None] = []
    for at in r:
        near = [w for w in found if w[0] <= at + 0.05 and w[1] >= at - 0.05]
        onset = max(min((w[0] for w in near), default=at), at - QRS_REACH[0])
        end = min(max((w[1] for w in near), default=at), at + QRS_REACH[1])
        edges.append((onset, end) if end - onset >= SHORTEST_QRS and onset < at < end else None)
    known = [(edge[0] - at, edge[1] - at) for edge, at in zip(edges, r, strict=True) if edge is not None]
    usual = np.median(known, axis=0) if known else np.array(USUAL_QRS)
    return [
        edge if edge is not None else (max(0.0, at + usual[0]), at + usual[1])
        for edge, at in zip(edges, r, strict=True)
    ]


def _t_waves(probability: Signal, qrs: list[tuple[float, float]], seconds: float) -> list[tuple[float, float] | None]:
    """Onset and end of T after each QRS, None where there is none before the next."""
    found = stretches(probability, least=0.04)
    out: list[tuple[float, float] | None] = []
    for i, (_, end) in enumerate(qrs):
        limit = min(qrs[i + 1][0] if i + 1 < len(qrs) else seconds, end + LONGEST_T)
        parts = [w for w in found if w[0] < limit - 0.02 and w[1] > end + 0.06]
        if not parts:
            out.append(None)
            continue
        best = max(parts, key=lambda w: (w[1] - w[0]) * w[2])
        first, last = best[0], best[1]
        for w in parts:
            if abs(w[0] - last) < T_GAP or abs(first - w[1]) < T_GAP:
                first, last = min(first, w[0]), max(last, w[1])
        out.append((max(first, end), min(last, limit)) if last < seconds - 0.01 else None)
    return out


def _mean(probability: Signal, waves: list[tuple[float, float]] | list[tuple[float, float] | None]) -> float:
    """Mean probability within `waves`, those that are None counted as 0."""
    parts = []
    for wave in waves:
        part = probability[round(wave[0] * OUT_RATE) : round(wave[1] * OUT_RATE) + 1] if wave else probability[:0]
        parts.append(float(part.mean()) if len(part) else 0.0)
    return float(np.mean(parts)) if parts else 0.0


def _beats(
    r: Signal,
    qrs: list[tuple[float, float]],
    p: PWaves,
    t: list[tuple[float, float] | None],
    typical: npt.NDArray[np.bool_],
) -> list[Beat]:
    """A wave is cut where the next one begins; only P may lie in the T wave before it, as it does at high rates and
    with long PR intervals: T ends where it would without P. Of the simulator's QT intervals 96% come out within 30 ms
    so, 85% where T is cut at P."""
    beats: list[Beat] = []
    for i, at in enumerate(r):
        onset, end = min(qrs[i][0] + SHIFT["qrs_onset"], at), max(qrs[i][1] + SHIFT["qrs_offset"], at)
        onset = max(onset, beats[-1].qrs_offset if beats else 0.0)
        p_onset, p_offset = _shifted(p.of_beats[i], "p", beats[-1].qrs_offset if beats else 0.0, onset)
        following = qrs[i + 1][0] + SHIFT["qrs_onset"] if i + 1 < len(r) else np.inf
        t_onset, t_offset = _shifted(t[i], "t", end, following)
        beats.append(Beat(float(at), p_onset, p_offset, onset, end, t_onset, t_offset, bool(typical[i])))
    return beats


def _shifted(
    wave: Wave | tuple[float, float] | None, name: str, first: float, last: float
) -> tuple[float, float] | tuple[None, None]:
    """Onset and end with `SHIFT`, between `first` and `last`; none where nothing is left."""
    if wave is None:
        return None, None
    onset, end = max(wave[0] + SHIFT[f"{name}_onset"], first), min(wave[1] + SHIFT[f"{name}_offset"], last)
    return (float(onset), float(end)) if onset < end else (None, None)
