"""Losses: joint-embedding objectives of stage 1, the masked multi-label loss of stages 2 and 3.

Each term is a function of its own; an objective returns its named terms, already weighted, so that the sum is the loss.
Statistics of a batch and negatives are those of all processes (`joint_embedding_loss`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from training.train import across

Terms = dict[str, Tensor]


def invariance(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared distance of paired embeddings [B, D]."""
    return functional.mse_loss(a, b)


def variance(z: Tensor) -> Tensor:
    """Hinge that keeps every dimension's standard deviation over the batch at 1 or above (Bardes 2022, eq. 1)."""
    return torch.relu(1 - torch.sqrt(z.var(dim=0) + 1e-4)).mean()


def covariance(z: Tensor) -> Tensor:
    """Sum of squared off-diagonal covariances divided by D, as in VICReg's reference (not the mean over D^2)."""
    z = z - z.mean(dim=0)
    matrix = z.T @ z / (len(z) - 1)
    return (matrix.square().sum() - matrix.diagonal().square().sum()) / z.shape[1]


def vicreg(ecg: Tensor, table: Tensor, weights: dict[str, float]) -> Terms:
    """VICReg (Bardes, Ponce, LeCun 2022) between ECG and table embeddings [B, D]. weights: 25 / 25 / 1 there."""
    return {
        "invariance": weights["invariance"] * invariance(ecg, table),
        "variance": weights["variance"] * (variance(ecg) + variance(table)) / 2,
        "covariance": weights["covariance"] * (covariance(ecg) + covariance(table)),
    }


def infonce(ecg: Tensor, table: Tensor, weights: dict[str, float]) -> Terms:
    """Symmetric contrastive loss (CLIP, Radford 2021) at a fixed temperature, weights["temperature"]."""
    a, b = functional.normalize(ecg, dim=1), functional.normalize(table, dim=1)
    logits = a @ b.T / weights.get("temperature", 0.1)
    target = torch.arange(len(a), device=a.device)
    return {"contrast": (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2}


def gaussianity(z: Tensor, directions: int = 256, points: int = 17) -> Tensor:
    """SIGReg (Balestriero & LeCun 2025): Epps-Pulley distance of random one-dimensional projections from N(0, 1).

    The characteristic function of each projection is compared with exp(-t^2 / 2) at `points` in [-5, 5], weighted by
    that same Gaussian, and integrated by the trapezoid rule. 0 for a standard normal embedding, [B, D] -> scalar.
    """
    drawn = across.of_the_first(torch.randn(z.shape[1], directions, device=z.device))
    basis = functional.normalize(drawn, dim=0)
    t = torch.linspace(-5, 5, points, device=z.device)
    angle = (z @ basis)[..., None] * t  # [B, directions, points]
    normal = torch.exp(-t.square() / 2)
    distance = (angle.cos().mean(dim=0) - normal).square() + angle.sin().mean(dim=0).square()
    return torch.trapezoid(distance * normal, t, dim=-1).mean() * len(z)


def sigreg(ecg: Tensor, table: Tensor, weights: dict[str, float]) -> Terms:
    """LeJEPA's two terms between ECG and table embeddings [B, D]: agreement, and Gaussianity of both."""
    share = weights.get("sigreg", 0.05)
    return {
        "invariance": (1 - share) * invariance(ecg, table),
        "gaussianity": share * (gaussianity(ecg) + gaussianity(table)) / 2,
    }


OBJECTIVES: dict[str, Callable[[Tensor, Tensor, dict[str, float]], Terms]] = {
    "vicreg": vicreg,
    "infonce": infonce,
    "sigreg": sigreg,
}


def joint_embedding_loss(
    objective: str, ecg: Tensor, table: Tensor, weights: dict[str, float], shares: int = 1
) -> Terms:
    """A share's part of an objective's terms over the embeddings [B, D] of all processes.

    shares: the parts of the batch, processes times those computed one after another; over the latter the terms are
    averaged, and each has the statistics and negatives of its own ECGs only.
    """
    terms = OBJECTIVES[objective](across.gathered(ecg), across.gathered(table), weights)
    return terms if shares == 1 else {key: value / shares for key, value in terms.items()}


def masked_bce(logits: Tensor, targets: Tensor, known_in_all: int | None = None) -> Tensor:
    """Binary cross-entropy over the known entries; [B, L] each, NaN in `targets` is unknown and carries no gradient.

    known_in_all: where this is a share of a batch, how many entries are known in all of it.
    """
    known = ~targets.isnan()
    # No entry is picked out by the mask: how many there are would have to be waited for on a GPU, at every step.
    weight, truth = known.to(logits.dtype), targets.nan_to_num()
    loss = functional.binary_cross_entropy_with_logits(logits, truth, weight=weight, reduction="sum")
    return loss / (weight.sum().clamp(min=1) if known_in_all is None else max(known_in_all, 1))


def heads_loss(
    logits: dict[str, Tensor],
    targets: dict[str, Tensor],
    weights: dict[str, float],
    known: dict[str, int | None] | None = None,
) -> Terms:
    """The weighted masked loss of each head that the network has; known: of a share, see `masked_bce`."""
    counts = known or {}
    return {head: weights[head] * masked_bce(logits[head], targets[head], counts.get(head)) for head in logits}
