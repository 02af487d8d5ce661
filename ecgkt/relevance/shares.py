"""Shares of an attribution: how much of it a wave or a region has, and which way that goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgkt.ecg import LEADS

RHYTHM = "RR intervals"
MOST = 0.7  # share of a wave's relevance that the leads named hold together
SPREAD_LEADS = 6  # from this many leads on the relevance is spread, not gathered
NEARLY_ALL = 9  # leads; the few others are named instead
ALL_LEADS = "all leads"
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

    def toward(self, way: int) -> float:
        """What raises the score (1), what lowers it (-1), or all (0)."""
        return self.raises if way > 0 else self.lowers if way < 0 else self.total

    @property
    def direction(self) -> str:
        """What it does to the score in words; "" where there are no signs, or nothing."""
        if not self.net or not self.total:
            return ""
        verb = "raises" if self.net > 0 else "lowers"
        return f"{verb} the score" if abs(self.net) >= ONE_WAY * self.total else f"on balance {verb} the score"


@dataclass(frozen=True)
class Part:
    """One row of the shares by wave: a wave, a stretch whose waves are not sure, or the RR intervals."""

    name: str
    short: str
    share: Share


@dataclass(frozen=True)
class Region:
    """A wave in some leads, or the rhythm, with its share. part: name of the `Part` that it lies in."""

    where: str
    share: Share
    part: str = ""

    @property
    def words(self) -> str:
        """ "T wave in V2-V4, 61% of the total contribution, raises the score"."""
        direction = f", {self.share.direction}" if self.share.direction else ""
        return f"{self.where}, {100 * self.share.total:.0f}% of the total contribution{direction}"


def leading(parts: Sequence[Part], positive: bool | None) -> tuple[Part | None, int]:
    """(the part that a sentence names, the way it must go: 1 raises, -1 lowers, 0 either).

    Of those that on balance raise a positive score it is the one with the largest share that raises it, of those that
    on balance lower a negative one that with the largest share that lowers it. Where none goes that way, where there
    are no signs or no score, it is the one of the largest share, and the way 0.
    """
    known = [part for part in parts if part.share.total > 0]
    way = 0 if positive is None else 1 if positive else -1
    going = [part for part in known if way * (part.share.net or 0.0) > 0]
    if going:
        return max(going, key=lambda part: part.share.toward(way)), way
    return max(known, key=lambda part: part.share.total, default=None), 0


def regions_of(name: str, part: Rows, whole: float, signed: bool) -> list[Region]:
    """A part's relevance [12, samples] -> the leads where it raises the score, and those where it lowers it."""
    size, net = np.abs(part).sum(axis=1), part.sum(axis=1)
    sides = (net > 0, net <= 0) if signed else (np.ones(len(LEADS), dtype=bool),)
    out = []
    for side in sides:
        rows = np.flatnonzero(side & (size > 0))
        if not len(rows):
            continue
        weight = (size + np.abs(net))[rows] if signed else size[rows]  # twice what goes the side's way
        words, chosen = _leads(rows, weight)
        share = Share(float(size[chosen].sum() / whole), float(net[chosen].sum() / whole) if signed else None)
        out.append(Region(f"{name} in {words}", share, name))
    return out


def region_of(regions: Sequence[Region], part: Part | None, way: int) -> Region | None:
    """The region of a part that goes a way (0: the larger one)."""
    own = [r for r in regions if part is not None and r.part == part.name and way * (r.share.net or 0.0) >= 0]
    return max(own, key=lambda r: r.share.toward(way), default=None)


def _leads(rows: npt.NDArray[np.intp], size: Rows) -> tuple[str, npt.NDArray[np.intp]]:
    """The fewest of these leads that together hold `MOST` of `size`, in words, and which they are.

    Where the relevance is spread over nearly all leads, all of `rows` are meant and the others are named.
    """
    order = np.argsort(-size, kind="stable")
    count = int(np.searchsorted(np.cumsum(size[order]) / size.sum(), MOST - 1e-9)) + 1
    if count >= SPREAD_LEADS and len(rows) >= NEARLY_ALL:
        others = [i for i in range(len(LEADS)) if i not in rows]
        return (f"{ALL_LEADS} but {_lead_list(others)}" if others else ALL_LEADS), rows
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
