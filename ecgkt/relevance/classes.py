"""What of the relevance is drawn, and in which colors: shared by the sheet, other figures and the report.

    classes(attribution, shown=50)     # [12, samples], -4 (lowers the score most) to 4 (raises it most), 0 bare
    colors(attribution.signed, dark)  # class -> color

Color is never all that tells: lines are wider the stronger they are and dashed where they lower the score, bands and
bars stand below their middle there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from ecgkt.prediction import Attribution

Way = Literal["line", "band", "bars"]
WAYS: dict[Way, str] = {
    "line": "colored line under the trace",
    "band": "band under each row",
    "bars": "bars by lead and by wave",
}
SHOWN = 50  # per cent of the relevance drawn unless chosen otherwise

# Relevance is summed over 50 ms, sign and all: what is drawn is what a stretch does to the score, ripples left out.
SMOOTHING_SECONDS = 0.05
# Four classes: the strongest stretches, which together hold 10% of the relevance, the next up to 25% and 45%, the
# rest. By share, not by height: one spike, a pacemaker's say, would leave everything else pale.
CLASSES = (0.10, 0.25, 0.45, 1.0)

# Ramps of equal steps in CIE L*, from slight to strongest, of which the strongest keeps 4.5:1 to the trace drawn on it
# and 3:1 to the paper (WCAG 2.2, 1.4.3 and 1.4.11): L* 86 to 56 on light paper, 22 to 46 on dark. Orange and blue (CIE
# LCh hues 58° and 270°) stay apart in the common kinds of color blindness; without signs it is Viridis (matplotlib).
RAISES = {False: ("#fdceb1", "#f3ab7e", "#e58a4b", "#d46810"), True: ("#4a2e1c", "#693b1c", "#88491c", "#a9571a")}
LOWERS = {False: ("#c0d9ff", "#8cbfff", "#3ea5ff", "#008be0"), True: ("#1c3652", "#094978", "#005d98", "#0071b8")}
UNSIGNED = {False: ("#d2e21b", "#77d153", "#31b57b", "#1f968b"), True: ("#481f70", "#433d84", "#375a8c", "#2b758e")}


@dataclass(frozen=True)
class Overlay:
    """How relevance lies on the tracing. shown: per cent of the relevance that is drawn, the strongest first."""

    way: Way = "line"
    shown: int = SHOWN


def colors(signed: bool, dark: bool = False) -> dict[int, str]:
    """Class -> color; 1 (slight) to 4 (strongest), and -1 to -4 where the method has signs."""
    ramp = RAISES[dark] if signed else UNSIGNED[dark]
    out = dict(enumerate(ramp, start=1))
    return out | {-k: color for k, color in enumerate(LOWERS[dark], start=1)} if signed else out


def summed(attribution: Attribution) -> npt.NDArray[np.float32]:
    """[12, samples]: relevance summed over 50 ms around each sample, per sample; 0 where it is not a number."""
    relevance = np.nan_to_num(attribution.relevance).astype(np.float64)
    size = max(1, round(SMOOTHING_SECONDS * attribution.rate))
    return uniform_filter1d(relevance, size, axis=1, mode="constant").astype(np.float32)


def classes(attribution: Attribution, shown: int = SHOWN) -> npt.NDArray[np.int8]:
    """[12, samples] at the attribution's rate: -4 to 4, 0 what is not drawn. `shown` cuts, it moves no class."""
    values = summed(attribution)
    return np.sign(values).astype(np.int8) * ranked(np.abs(values), shown)


def ranked(size: npt.NDArray[np.floating], shown: int) -> npt.NDArray[np.int8]:
    """The class, 0 to 4, of each of these sizes (>= 0, any shape): see `CLASSES`. Equal sizes share a class."""
    falling = np.sort(size, axis=None)[::-1].astype(np.float64)
    held = np.cumsum(falling)
    out = np.zeros(size.shape, dtype=np.int8)
    if not held.size or held[-1] <= 0:
        return out
    for share in CLASSES:
        out += size >= _edge(falling, held, share)
    drawn = (size > 0) & (size >= _edge(falling, held, shown / 100)) & (shown > 0)
    return np.where(drawn, out, 0).astype(np.int8)


def _edge(falling: npt.NDArray[np.float64], held: npt.NDArray[np.float64], share: float) -> float:
    """The smallest of the largest sizes that hold `share` of all, a hair lower, since sums are not exact."""
    at = min(int(np.searchsorted(held, share * held[-1] * (1 - 1e-9))), len(falling) - 1)
    return float(falling[at]) * (1 - 1e-5)
