"""What an attribution rests on, in the words of an ECG: shares by lead, by wave and by region, and one sentence.

Every share is a share of sum |relevance| + |rhythm|, so lead by lead, or wave by wave, with the rhythm they make 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import LEADS
from ecgkt.measurements.delineation import SEGMENTS, Beats, Segment
from ecgkt.prediction import Attribution

WAVE_NAMES: dict[Segment, str] = {
    "P": "P wave",
    "PR": "PR segment",
    "QRS": "QRS complex",
    "ST": "ST segment",
    "T": "T wave",
    "TP": "TP segment",
}
RHYTHM = "RR intervals"
ELSEWHERE = "Signal outside any beat"
MOST = 0.7  # share of a wave's relevance that the leads named hold together
SPREAD_LEADS = 6  # from this many leads on the relevance is spread, not gathered
NEARLY_ALL = 9  # leads; the few others are named instead
REGIONS, LEAST = 6, 0.01  # regions listed at most, each with so much of the relevance; the rhythm beyond them
ONE_WAY = 1 / 3  # net over total from which a share is said to raise (or lower): two thirds of it and more do

Rows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Share:
    """A part of the relevance. total: 0 to 1. net: what raised the score less what lowered it, None without signs."""

    total: float
    net: float | None

    @property
    def raises(self) -> float:
        return 0.0 if self.net is None else (self.total + self.net) / 2

    @property
    def lowers(self) -> float:
        return 0.0 if self.net is None else (self.total - self.net) / 2

    @property
    def direction(self) -> str:
        """What it does to the score in words; "" where there are no signs, or nothing."""
        if not self.net or not self.total:
            return ""
        verb = "raises" if self.net > 0 else "lowers"
        return f"{verb} the score" if abs(self.net) >= ONE_WAY * self.total else f"on balance {verb} the score"


@dataclass(frozen=True)
class Region:
    """A wave in some leads, or the rhythm, with its share."""

    where: str
    share: Share

    @property
    def words(self) -> str:
        """ "T wave in V2-V4, 61% of the total contribution, raises the score"."""
        direction = f", {self.share.direction}" if self.share.direction else ""
        return f"{self.where}, {100 * self.share.total:.0f}% of the total contribution{direction}"


@dataclass(frozen=True)
class RelevanceSummary:
    """by_lead and rhythm make 1, as do by_wave, elsewhere (outside any beat) and rhythm, as do regions and rest.

    regions: the largest first; a wave is parted into the leads where it raises and those where it lowers the score.
    signed: False where the method cannot tell raising from lowering.
    """

    signed: bool
    by_lead: dict[str, Share]
    by_wave: dict[Segment, Share]
    elsewhere: Share
    rhythm: Share
    regions: tuple[Region, ...]
    rest: Share
    sentence: str


def summarize(attribution: Attribution, beats: Beats) -> RelevanceSummary:
    """Shares of the attribution by lead, wave and region; `beats` of the same tracing.

    Raises ValueError if the relevance has not 12 rows.
    """
    relevance = np.nan_to_num(np.asarray(attribution.relevance, dtype=float))
    if relevance.ndim != 2 or relevance.shape[0] != len(LEADS):
        raise ValueError(f"relevance must be [12, samples], not {relevance.shape}")
    signed, whole = attribution.signed, _whole(attribution)

    def share(values: npt.ArrayLike) -> Share:
        net = float(np.sum(values) / whole)
        return Share(float(np.abs(values).sum() / whole), net if signed else None)

    names = beats.wave_at(np.arange(relevance.shape[1]) / attribution.rate)
    parts = {segment: relevance[:, names == segment] for segment in SEGMENTS}
    outside = relevance[:, names == ""]
    rhythm = rhythm_share(attribution)
    regions = [
        region for segment, part in parts.items() for region in _regions(WAVE_NAMES[segment], part, whole, signed)
    ]
    regions += _regions(ELSEWHERE if beats.beats else "", outside, whole, signed)
    regions.sort(key=lambda region: -region.share.total)
    regions = [region for region in regions[:REGIONS] if region.share.total >= LEAST]
    if rhythm.total:
        regions = sorted([*regions, Region(RHYTHM, rhythm)], key=lambda region: -region.share.total)
    total = sum(region.share.total for region in regions)
    net = sum(region.share.net or 0.0 for region in regions)
    every = share(np.append(relevance, attribution.rhythm))
    rest = Share(max(0.0, every.total - total), every.net - net if every.net is not None else None)
    return RelevanceSummary(
        signed=signed,
        by_lead={lead: share(row) for lead, row in zip(LEADS, relevance, strict=True)},
        by_wave={segment: share(part) for segment, part in parts.items()},
        elsewhere=share(outside),
        rhythm=rhythm,
        regions=tuple(regions),
        rest=rest,
        sentence=_sentence(regions, bool(beats.beats)),
    )


def rhythm_share(attribution: Attribution) -> Share:
    share = abs(attribution.rhythm) / _whole(attribution)
    return Share(share, math.copysign(share, attribution.rhythm) if attribution.signed else None)


def _whole(attribution: Attribution) -> float:
    return float(np.abs(np.nan_to_num(attribution.relevance)).sum(dtype=float) + abs(attribution.rhythm)) or 1.0


def _regions(name: str, part: Rows, whole: float, signed: bool) -> list[Region]:
    """A wave's relevance [12, samples] -> the leads where it raises the score, and those where it lowers it."""
    size, net = np.abs(part).sum(axis=1), part.sum(axis=1)
    sides = (net > 0, net <= 0) if signed else (np.ones(len(LEADS), dtype=bool),)
    out = []
    for side in sides:
        rows = np.flatnonzero(side & (size > 0))
        if not len(rows):
            continue
        words, chosen = _leads(rows, size[rows])
        share = Share(float(size[chosen].sum() / whole), float(net[chosen].sum() / whole) if signed else None)
        out.append(Region(f"{name} in {words}" if name else words, share))
    return out


def _leads(rows: npt.NDArray[np.intp], size: Rows) -> tuple[str, npt.NDArray[np.intp]]:
    """The fewest of these leads that together hold `MOST` of `size`, in words, and which they are.

    Where the relevance is spread over nearly all leads, all of `rows` are meant and the others are named.
    """
    order = np.argsort(-size, kind="stable")
    count = int(np.searchsorted(np.cumsum(size[order]) / size.sum(), MOST - 1e-9)) + 1
    if count >= SPREAD_LEADS and len(rows) >= NEARLY_ALL:
        others = [i for i in range(len(LEADS)) if i not in rows]
        return (f"all leads but {_lead_list(others)}" if others else "all leads"), rows
    chosen = np.sort(rows[order[:count]])
    return _lead_list([int(i) for i in chosen]), chosen


def _lead_list(indices: list[int]) -> str:
    """[7, 8, 9] -> "V2-V4"; [1, 2, 5] -> "II, III and aVF". Only neighboring chest leads make a range."""
    groups: list[list[int]] = []
    for i in indices:
        if groups and i == groups[-1][-1] + 1 and LEADS[i].startswith("V") and LEADS[i - 1].startswith("V"):
            groups[-1].append(i)
        else:
            groups.append([i])
    words: list[str] = []
    for group in groups:
        if len(group) > 2:
            words.append(f"{LEADS[group[0]]}-{LEADS[group[-1]]}")
        else:
            words += [LEADS[i] for i in group]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _size(share: Share) -> str:
    """A share and what it does, within a sentence: "60%, raising it"."""
    doing = share.direction.replace("raises", "raising").replace("lowers", "lowering").replace("the score", "it")
    return f"{100 * share.total:.0f}%{f', {doing}' if doing else ''}"


def _subject(where: str, has_beats: bool) -> str:
    """Where something lies, as the beginning of a sentence: "The T wave in V2-V4 contributes"."""
    if where == RHYTHM:
        return f"The {RHYTHM} contribute"
    if where.startswith(ELSEWHERE):
        return f"{where} contributes"
    if has_beats:
        return f"The {where} contributes"
    is_one_lead = where in LEADS
    return f"{where[0].upper()}{where[1:]} {'contributes' if is_one_lead else 'contribute'}"


def _sentence(regions: list[Region], has_beats: bool) -> str:
    if not regions:
        return "Nothing in this tracing contributes to the score."
    first, *others = regions
    text = f"{_subject(first.where, has_beats)} most to the score ({_size(first.share)})."
    if not has_beats:
        text += " No beats were found."
    rhythm = next((region.share for region in others if region.where == RHYTHM), None)
    if rhythm is not None and round(100 * rhythm.total):
        text += f" The {RHYTHM} contribute {_size(rhythm)}."
    return text
