"""Figures that only simulated patients can give: what can be read off an embedding, and how a head follows a cause."""

from __future__ import annotations

from typing import Annotated, Literal

from ecgkt.json_records import Record
from ecgkt.results.intervals import SOME, Count, Interval, Number, Share, Title, even

ProbeKind = Literal["measurement", "patient", "lab"]
Measure = Literal["r2", "auroc"]


class Probe(Record, frozen=True):
    """How well one quantity is read off an embedding by a linear model, cross-validated over patients.

    measure: "r2" (share of the variance explained) of the quantity, in logarithms where `logarithm`, or "auroc" of two
    kinds of patients. models: network -> figure with its 95% interval over patients; gain: the network with knowledge
    transfer less the one without, on the same resamples.
    """

    target: Title
    kind: ProbeKind
    measure: Measure
    ecgs: Count
    models: Annotated[dict[Title, Interval], SOME]
    gain: Interval | None
    logarithm: bool = False


class Response(Record, frozen=True):
    """A label's probability as one cause runs away from normal, all else equal, over simulated patients of average
    reactions.

    values: of `quantity`, from normal on. probability: mean over `patients` at each value; low, high: quartiles.
    rising: share of the patients whose probability at the last value is above that at the first. monotone: does the
    mean rise at every step? Physiology has it rise.
    """

    quantity: Title
    code: Title
    values: Annotated[list[Number], SOME]
    probability: list[Share]
    low: list[Share]
    high: list[Share]
    patients: Count
    rising: Share
    monotone: bool

    def __post_init__(self) -> None:
        even(self.values, self.probability, self.low, self.high)
