"""Two ECGs of one patient: what changed from the one before to the one now, in the beat, the intervals and the scores.

Changes are now minus before. The intervals of each ECG are those of `ecgkt.measurements.intervals`; sampling rates and
lengths may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ecgkt.ecg import ECG, LEADS
from ecgkt.measurements.amplitudes import amplitudes
from ecgkt.measurements.intervals import DEGREE, FLAT, Intervals, Measured
from ecgkt.measurements.median_beat import MedianBeat
from ecgkt.measurements.r_peaks import SIMILAR, Signal
from ecgkt.prediction import HEADS, Head, Label, Prediction
from ecgkt.serial.repeatability import detectable, detectable_in_lead

Wave = Literal["p", "q", "r", "s", "st", "t"]
WAVES: tuple[Wave, ...] = ("p", "q", "r", "s", "st", "t")
RATE = 500.0  # Hz, at which beats are laid over each other
LAG = 0.02  # s, twice the error of QRS onset: as far as one beat is moved to fit the other
AROUND = 0.02  # s before and after QRS that are fitted with it


BeforeAndNow = tuple[float | None, float | None]


@dataclass(frozen=True)
class IntervalChange:
    """One measurement of both ECGs. key: its name in `Intervals`.

    detectable: the smallest change that two ECGs of an unchanged heart seldom show, in the same unit
    (`ecgkt.serial.repeatability`); None where it is not known.
    """

    key: str
    before: Measured
    now: Measured
    detectable: float | None

    @property
    def change(self) -> float | None:
        """None where one of the two could not be measured; an axis turns the shorter way, positive to the right."""
        if self.before.value is None or self.now.value is None:
            return None
        change = self.now.value - self.before.value
        return (change + 180) % 360 - 180 if self.now.unit == DEGREE else change

    @property
    def beyond(self) -> bool | None:
        """Is the change more than repeats differ by? None where there is none to judge, or where that is not known."""
        return None if self.change is None or self.detectable is None else abs(self.change) > self.detectable


@dataclass(frozen=True)
class LeadChange:
    """(before, now) in mV against the level just before QRS; None where the lead or the wave is missing.

    st: at the J point, as the Fourth Universal Definition of Myocardial Infarction (Thygesen et al. 2018) reads it. t
    and p: the largest deflection, negative where the wave is inverted. q, r, s: 0 or more.
    """

    lead: str
    p: BeforeAndNow
    q: BeforeAndNow
    r: BeforeAndNow
    s: BeforeAndNow
    st: BeforeAndNow
    t: BeforeAndNow

    def change(self, wave: Wave) -> float | None:
        was, now = getattr(self, wave)
        return None if was is None or now is None else now - was

    def detectable(self, wave: Wave) -> float | None:
        """mV; the smallest change of `wave` that two ECGs of an unchanged heart seldom show. None where not known."""
        return detectable_in_lead(wave, self.lead)


@dataclass(frozen=True)
class PlacedBeat:
    """A median beat to be laid over another. signal: [12, samples] mV at `RATE`; times: [samples] s, 0 at QRS onset."""

    signal: Signal
    times: Signal


@dataclass(frozen=True)
class SerialComparison:
    """beats: before and now on one time axis, None where one of them has no median beat. leads: empty then."""

    intervals: tuple[IntervalChange, ...]
    leads: tuple[LeadChange, ...]
    beats: tuple[PlacedBeat, PlacedBeat] | None


@dataclass(frozen=True)
class ScoreChange:
    """A label's probability before and now; None where the model abstained from that tracing."""

    label: Label
    before: float | None
    now: float | None

    @property
    def change(self) -> float | None:
        return None if self.before is None or self.now is None else self.now - self.before

    @property
    def crossing(self) -> str:
        """In words, whether the threshold lies between the two; empty where it does not."""
        if self.before is None or self.now is None:
            return ""
        was, is_now = (value >= self.label.threshold for value in (self.before, self.now))
        return "" if was == is_now else "rose above its threshold" if is_now else "fell below its threshold"


def compare(before: Intervals, now: Intervals) -> SerialComparison:
    """What changed between two tracings, each as measured; what cannot be measured in one of them says why there."""
    intervals = tuple(
        IntervalChange(key, getattr(before, key), getattr(now, key), detectable(key, before, now)) for key in ROWS
    )
    if before.beat is None or now.beat is None:
        return SerialComparison(intervals, (), None)
    was, is_now = _waves(before.beat), _waves(now.beat)
    leads = tuple(
        LeadChange(lead, *((was[lead].get(wave), is_now[lead].get(wave)) for wave in WAVES)) for lead in LEADS
    )
    return SerialComparison(intervals, leads, aligned(before.beat, now.beat))


# As `Intervals.rows` gives them.
ROWS = (
    "rate", "pr", "p_duration", "qrs", "qt", "qtcf", "qtcb", "p_axis", "qrs_axis", "t_axis", "transition",
    "sokolow_lyon", "cornell",
)  # fmt: skip


def _waves(beat: MedianBeat) -> dict[str, dict[Wave, float | None]]:
    """Lead -> wave -> mV; empty for a lead without signal."""
    end = beat.waves.qrs_offset
    at_j = beat.part(end, end)[:, 0]
    out: dict[str, dict[Wave, float | None]] = {}
    for i, found in enumerate(amplitudes(beat)):
        waves: dict[Wave, float | None] = {"p": found.p, "q": found.q, "r": found.r, "s": found.s}
        waves |= {"st": float(at_j[i]), "t": found.t}
        out[found.lead] = waves if np.ptp(beat.signal[i]) > FLAT else {}
    return out


def aligned(before: MedianBeat, now: MedianBeat) -> tuple[PlacedBeat, PlacedBeat]:
    """Both beats with time 0 at QRS onset; where the QRS look alike, `before` is moved by at most `LAG` to fit best."""
    first, second = _placed(before), _placed(now)
    wide = max(beat.waves.qrs_offset - beat.waves.qrs_onset for beat in (before, now))
    at = np.arange(-AROUND, wide + AROUND, 1 / RATE)
    lags = np.arange(-round(LAG * RATE), round(LAG * RATE) + 1) / RATE
    target = _at(second, at)
    fits = [_likeness(_at(first, at - lag), target) for lag in lags]
    best = int(np.argmax(fits))
    if fits[best] < SIMILAR:
        return first, second
    return PlacedBeat(first.signal, first.times + lags[best]), second


def _placed(beat: MedianBeat) -> PlacedBeat:
    signal = ECG(beat.signal.astype(np.float32), beat.rate).resampled(RATE).signal.astype(float)
    return PlacedBeat(signal, np.arange(signal.shape[1]) / RATE - beat.waves.qrs_onset)


def _at(beat: PlacedBeat, times: Signal) -> Signal:
    """[12, times] mV; the ends are held."""
    return np.stack([np.interp(times, beat.times, row) for row in beat.signal])


def _likeness(one: Signal, two: Signal) -> float:
    """Correlation over all leads together; 0 where one of them is flat."""
    if one.std() == 0 or two.std() == 0:
        return 0.0
    return float(np.corrcoef(one.ravel(), two.ravel())[0, 1])


def score_changes(before: Prediction, now: Prediction) -> dict[Head, tuple[ScoreChange, ...]]:
    """Every label of each head, the largest change first; by probability where the model abstained from one of the two,
    empty where it abstained from both."""
    out: dict[Head, tuple[ScoreChange, ...]] = {}
    for head in HEADS:
        was = {score.label.code: score for score in before.scores(head)}
        is_now = {score.label.code: score for score in now.scores(head)}
        changes = []
        for code, score in (was | is_now).items():
            values = [scores[code].probability if code in scores else None for scores in (was, is_now)]
            changes.append(ScoreChange(score.label, values[0], values[1]))
        out[head] = tuple(sorted(changes, key=_size, reverse=True))
    return out


def _size(change: ScoreChange) -> tuple[float, float]:
    return abs(change.change or 0.0), max(value for value in (change.before, change.now) if value is not None)


def mismatches(before: ECG, now: ECG, hours: float | None = None) -> tuple[str, ...]:
    """Sentences on why the two may not be of the same patient. hours: from before to now, where known."""
    out = []
    if before.sex is not None and now.sex is not None and before.sex != now.sex:
        out.append("The recorded sex differs: the ECGs may not be of the same patient.")
    if before.age is not None and now.age is not None:
        older = now.age - before.age
        expected = None if hours is None else hours / HOURS_A_YEAR
        if expected is not None and abs(older - expected) > AGE_SLACK:
            out.append("The ages do not match the time between the two ECGs: they may not be of the same patient.")
        elif expected is None and abs(older) > AGE_SLACK:
            turned = "" if older > 0 else ", or they are in the wrong order"
            out.append(
                f"The ages differ by {abs(older):.0f} years: the two may not be of the same patient{turned}, "
                "unless they were recorded that far apart."
            )
    return tuple(out)


HOURS_A_YEAR = 365.25 * 24
AGE_SLACK = 1.5  # years; ages are given in whole years, and some sources count from the turn of the year


def apart(hours: float) -> str:
    """ "3 days", in the largest unit of which there are two, without sign."""
    minutes = abs(hours) * 60
    for unit, size in (("year", 60 * HOURS_A_YEAR), ("month", 60 * HOURS_A_YEAR / 12), ("day", 1440.0), ("hour", 60.0)):
        if minutes >= 2 * size:
            return f"{minutes / size:.0f} {unit}s"
    return f"{minutes:.0f} minute{'' if round(minutes) == 1 else 's'}"
