"""Do the leads look more like an ECG in another order, whatever it is? Mislabeled channels, several cables exchanged.

What single exchanges there are, `lead_reversal` names. Here the leads I, II and V1 to V6 are moved among each other,
two at a time, as long as the tracing comes nearer to typical ones.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ecgkt.measurements.median_beat import MedianBeat
from ecgkt.quality.lead_reversal import LOOKED_AT, Row, parts, typical_beat

MOVED = [LOOKED_AT.index(lead) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")]
THIRD = LOOKED_AT.index("III")
# Gain in log likelihood, chosen so that 1 in 100 of 405 real recordings of six sets gain more; of 308 of the same with
# their leads shuffled 92% do (more of them: benchmarks/junk.py).
LIMIT = 0.45
# Squared distance below which no other order is tried: of shuffled leads 1% lie below, of real ECGs four in five.
SUSPICIOUS = 50.0


class _Leads:
    """How far the leads of a median beat are from typical ones, in any order."""

    def __init__(self, beat: MedianBeat) -> None:
        columns, whole = parts(beat)
        self.columns, whole = columns[MOVED], whole[MOVED]
        self.products: Row = whole @ whole.T / whole.shape[1]

    def distance(self, order: list[int]) -> float:
        """Squared distance with lead `order[k]` in the place of the k-th of `MOVED`; III = II - I follows."""
        first, second = order[0], order[1]
        square = self.products.diagonal()
        features = np.empty((len(LOOKED_AT), self.columns.shape[1]))
        features[MOVED] = self.columns[order] / (np.sqrt(square[order])[:, None] + 1e-6)
        third = square[first] + square[second] - 2 * self.products[first, second]
        features[THIRD] = (self.columns[second] - self.columns[first]) / (np.sqrt(max(third, 0.0)) + 1e-6)
        return typical_beat().distance(features)


def better_order(beat: MedianBeat) -> float:
    """Gain in log likelihood (`TypicalBeat.gain`) by the best order found; 0 where the recorded one is as good."""
    leads, order = _Leads(beat), list(range(len(MOVED)))
    recorded = nearest = leads.distance(order)
    if recorded < SUSPICIOUS:
        return 0.0
    while True:
        distances = {pair: leads.distance(_exchanged(order, *pair)) for pair in combinations(range(len(MOVED)), 2)}
        best = min(distances, key=lambda pair: distances[pair])
        if distances[best] >= nearest:
            return max(typical_beat().gain(recorded, nearest), 0.0)
        order, nearest = _exchanged(order, *best), distances[best]


def _exchanged(order: list[int], a: int, b: int) -> list[int]:
    out = list(order)
    out[a], out[b] = out[b], out[a]
    return out


def suspected_order(beat: MedianBeat | None) -> tuple[str, ...]:
    """A sentence where the leads look far more like an ECG's in another order."""
    if beat is None or better_order(beat) <= LIMIT:
        return ()
    return (
        "The leads look more like an ECG's in another order: channels may be mislabeled, or several cables exchanged.",
    )
