"""Dose and response: what the model says of one simulated patient as one cause runs through its range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ecgkt.simulation.what_if import Changed, Subject

if TYPE_CHECKING:
    from ecgkt.model.model import Model


def response(
    model: Model, subject: Subject, changed: Changed, quantity: str, values: Sequence[float] | npt.NDArray[np.floating]
) -> dict[str, npt.NDArray[np.float32]]:
    """Code -> calibrated probability [values], all else as in `changed`; silent labels included."""
    drawn = [subject.ecg(changed.with_value(quantity, float(value))) for value in values]
    return model.probabilities(model.embeddings(drawn))
