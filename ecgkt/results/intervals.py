"""What all figures are made of: a value with its 95% interval, and the kind of ECGs that it was measured on."""

from __future__ import annotations

from typing import Literal

Interval = tuple[float, float, float]  # value, low, high of the 95% interval
Kind = Literal["real", "simulated"]
KINDS: tuple[Kind, ...] = ("real", "simulated")
