"""The reference cohort of a bundle: where simulated patients lie in the network's embedding, and what they have.

One ECG a patient, the first. Nothing of a tracing is kept: seed and index draw it again (`ecgkt.simulation.what_if`).
`training/release/reference.py` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
LEVELS = np.linspace(0, 1, 101)  # of `Reference.spread`
LAST_INDEX = 999_999  # of a simulated patient
LARGEST = 1e7  # of a quantity; the largest is some 100,000 ng/L of NT-proBNP


@dataclass(frozen=True)
class Reference:
    """N patients; D the embedding's dimension, K that of the space in which they are compared.

    seed, index [N]: of the simulator. mean, scale: [D]; axes: [D, K], the principal axes of the standardized embedding.
    places: [N, K] float16. quantities: [N, Q] true values at the time of the ECG, in the units of the vocabulary,
    by the keys `columns` (labs, then temperature in deg C and heart_rate per minute). labels: [N, C] bool, by `codes`.
    spread: at each of `LEVELS` the quantile of the patients' own mean distance to their nearest (`nearest.NEAREST`).
    """

    seed: int
    index: npt.NDArray[np.int32]
    mean: Floats
    scale: Floats
    axes: Floats
    places: npt.NDArray[np.float16]
    columns: tuple[str, ...]
    quantities: Floats
    codes: tuple[str, ...]
    labels: npt.NDArray[np.bool_]
    spread: Floats

    def __len__(self) -> int:
        return len(self.index)

    def place(self, embeddings: npt.NDArray[np.float32]) -> Floats:
        """[..., K] from embeddings [..., D]."""
        return np.asarray(((embeddings - self.mean) / self.scale) @ self.axes, np.float32)

    def tensors(self) -> dict[str, npt.NDArray[np.generic]]:
        """For a file; `from_tensors` is the way back. The names of columns and codes are the bundle's own labels'."""
        return {
            "seed": np.array([self.seed], np.int64),
            "index": self.index,
            "mean": self.mean,
            "scale": self.scale,
            "axes": self.axes,
            "places": self.places,
            "quantities": self.quantities,
            "labels": np.packbits(self.labels, axis=1),
            "spread": self.spread,
        }


def from_tensors(
    tensors: Mapping[str, npt.NDArray[Any]], dimension: int, columns: Sequence[str], codes: Sequence[str]
) -> Reference:
    """Raises KeyError for a tensor that is absent, ValueError for shapes or numbers that are not those of the format.

    dimension: of the network's embedding. columns, codes: what the tables' columns stand for.
    """
    size = len(tensors["index"])
    shapes = {
        "seed": (1,),
        "mean": (dimension,),
        "scale": (dimension,),
        "axes": (dimension, tensors["places"].shape[1]),
        "places": (size, tensors["places"].shape[1]),
        "quantities": (size, len(columns)),
        "labels": (size, -(-len(codes) // 8)),
        "spread": (len(LEVELS),),
    }
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise ValueError(f"{name} has the shape {tensors[name].shape}, not {shape}.")
    if any(tensors[name].dtype.kind != "i" or (tensors[name] < 0).any() for name in ("seed", "index")):
        raise ValueError("Seed and index of a patient are no whole numbers from 0.")
    if (tensors["index"] > LAST_INDEX).any():
        raise ValueError("The index of a patient is beyond those that are simulated.")
    arrays = {name: np.asarray(tensors[name], np.float32) for name in ("mean", "scale", "axes", "quantities", "spread")}
    places = np.asarray(tensors["places"], np.float16)
    numbers = [*arrays.values(), places.astype(np.float32)]
    if not all(np.isfinite(values).all() for values in numbers) or not (arrays["scale"] > 0).all():
        raise ValueError("There are values that are no finite numbers.")
    if (np.abs(arrays["quantities"]) > LARGEST).any() or (np.diff(arrays["spread"], prepend=0) < 0).any():
        raise ValueError("There are values that no patient has, or distances that are none.")
    return Reference(
        seed=int(tensors["seed"][0]),
        index=np.asarray(tensors["index"], np.int32),
        places=places,
        columns=tuple(columns),
        codes=tuple(codes),
        labels=np.unpackbits(np.asarray(tensors["labels"], np.uint8), axis=1, count=len(codes)).astype(bool),
        **arrays,
    )
