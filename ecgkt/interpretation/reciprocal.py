"""Injury currents that mirror another: ST elevation in one territory depresses ST in the leads that face away from it.

Inferior elevation depresses ST in I and aVL, and in V1 to V3; anterior and high lateral elevation in III and aVF
(AHA/ACCF/HRS 2009 part VI, Wagner et al.). Injury currents have low thresholds, some of 1%, so that few are missed,
and what such a score sees beside an injury across the heart, likely or with ST elevated, is mostly its mirror image.
"""

from __future__ import annotations

from collections.abc import Sequence

from ecgkt.interpretation.line import Line
from ecgkt.interpretation.rhythm import Seen
from ecgkt.prediction import Score

BELOW = 0.1  # probability; from here on it is said by itself
ACROSS = {
    "injury_inferior": ("injury_anterior", "injury_lateral"),
    "injury_anterior": ("injury_inferior",),
    "injury_lateral": ("injury_inferior",),
}
ELEVATED = {  # leads of the group in which ST reaches its limit at J and J+60 ms, two contiguous ones being enough
    "injury_inferior": ("st_up_inferior",),
    "injury_anterior": ("st_up_septal", "st_up_anterolateral"),
    "injury_lateral": ("st_up_lateral",),
}


def elevated(seen: Seen, key: str) -> bool:
    """Does ST reach its limit in the leads of group `key`? False for what is no injury current."""
    return any((seen.value(name) or 0) >= 1 for name in ELEVATED.get(key, ()))


def mirrors(seen: Seen, key: str, scores: Sequence[Score], across: str, other: Line | None) -> bool:
    """Is group `key`, an improbable injury current without ST elevation of its own, the mirror image of `other`, the
    line of group `across`, which is likely or has ST elevated?"""
    if other is None or not scores or key not in ELEVATED:
        return False
    if not other.is_likely and not (other.is_open and elevated(seen, across)):
        return False
    return max(score.probability for score in scores) < BELOW and not elevated(seen, key)
