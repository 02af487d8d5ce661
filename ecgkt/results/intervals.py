"""What all figures are made of: a value with its 95% interval, and the kind of ECGs that it was measured on.

A metrics.json comes with a bundle, which may be a stranger's: what no figure can be (a share above 1, a negative count)
is ruled out by these types when the file is read, and so is what no page could show, by length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta

ROUNDING = 1e-9
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
Share = Annotated[float, Meta(ge=-ROUNDING, le=1 + ROUNDING)]
Count = Annotated[int, Meta(ge=0, le=10**12)]
Seed = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
SOME = Meta(max_length=60)  # entries of what is drawn or nested: models, points, groups of patients
ONE_OR_MORE = Meta(min_length=1, max_length=60)
MANY = Meta(max_length=600)  # rows of a table, charts of one line

Interval = tuple[Number, Number, Number]  # value, low, high of the 95% interval
Shares = tuple[Share, Share, Share]  # the same of what lies between 0 and 1: AUROC, sensitivity, a probability
Kind = Literal["real", "simulated"]
KINDS: tuple[Kind, ...] = ("real", "simulated")


def even(*lists: Sequence[object]) -> None:
    """Raises ValueError unless all have one length, of at least one."""
    if len({len(each) for each in lists}) != 1 or not lists[0]:
        raise ValueError("lists that go together are not equally long, or empty")
