"""Is this tracing like those that the network was trained on? A score of its embedding, with two limits.

A logistic regression on the embedding and its squares that tells training ECGs from what is none: noise, and ECGs whose
leads were shifted against each other (outlier exposure, Hendrycks et al. 2019). Distances (Mahalanobis, relative
Mahalanobis, nearest center) were tried and found far less on this network: docs/LOG.md. Fitted by
training/calibrate/out_of_distribution.py, which also measures it on kinds of junk that the fit has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
FARTHEST = 8.0  # standard deviations beyond which a dimension counts no more
UNLIKE = "Unlike the ECGs the model was trained on (at most 1% of validation ECGs are this unusual)."
TOO_UNLIKE = "The model was not trained on anything like this tracing: far more unusual than any validation ECG."


@dataclass(frozen=True)
class Novelty:
    """mean, scale, linear, square: [dimension of the embedding]. near, far: limits of the score.

    Of each source's validation ECGs at most 1% lie beyond `near`; `far` is twice as far from their median as the
    farthest of them.
    """

    mean: Array
    scale: Array
    linear: Array
    square: Array
    bias: float
    near: float
    far: float

    def score(self, embeddings: npt.NDArray[np.floating]) -> Array:
        """[...] logit from embeddings [..., dimension]; large is unlike."""
        away = np.clip((embeddings - self.mean) / self.scale, -FARTHEST, FARTHEST)
        return np.asarray(away @ self.linear + away**2 @ self.square + self.bias)

    def tensors(self) -> dict[str, Array]:
        """For a file; `from_tensors` is the way back."""
        return {
            "mean": self.mean,
            "scale": self.scale,
            "linear": self.linear,
            "square": self.square,
            "limits": np.array([self.bias, self.near, self.far]),
        }

    @classmethod
    def from_tensors(cls, tensors: dict[str, Array]) -> Novelty:
        bias, near, far = (float(value) for value in tensors["limits"])
        return cls(tensors["mean"], tensors["scale"], tensors["linear"], tensors["square"], bias, near, far)
