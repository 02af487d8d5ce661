"""Each loss against the mathematics it claims."""

from __future__ import annotations

import pytest
import torch

from training.train.objectives import OBJECTIVES, covariance, gaussianity, heads_loss, infonce, masked_bce, variance


def test_unknown_labels_carry_no_gradient() -> None:
    logits = torch.zeros(3, 2, requires_grad=True)
    targets = torch.tensor([[1.0, torch.nan], [torch.nan, 0.0], [torch.nan, torch.nan]])
    masked_bce(logits, targets).backward()
    assert logits.grad is not None
    assert (logits.grad[targets.isnan()] == 0).all()
    assert (logits.grad[~targets.isnan()] != 0).all()


def test_a_batch_without_any_known_label_gives_a_zero_loss_that_can_be_differentiated() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    loss = heads_loss({"labs": logits}, {"labs": torch.full((2, 3), torch.nan)}, {"labs": 1.0})["labs"]
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert (logits.grad == 0).all()


def test_variance_term_sees_collapse() -> None:
    assert float(variance(torch.ones(64, 8))) > 0.98
    assert float(variance(torch.randn(4096, 8) * 2)) == 0


def test_covariance_is_the_sum_of_off_diagonals_over_d() -> None:
    z = torch.randn(500, 6)
    matrix = torch.cov(z.T)
    off = matrix - torch.diag(matrix.diag())
    torch.testing.assert_close(covariance(z), off.square().sum() / 6)


def test_infonce_is_log_n_for_identical_embeddings_and_small_for_matching_ones() -> None:
    same = torch.ones(16, 4)
    assert float(infonce(same, same, {})["contrast"]) == pytest.approx(torch.log(torch.tensor(16.0)).item(), abs=1e-5)
    one_hot = torch.eye(16)
    assert float(infonce(one_hot, one_hot, {})["contrast"]) < 0.01


def test_gaussianity_is_lowest_for_a_standard_normal() -> None:
    torch.manual_seed(0)
    normal = float(gaussianity(torch.randn(2000, 8)))
    assert normal < float(gaussianity(torch.randn(2000, 8) * 0.3))
    assert normal < float(gaussianity(torch.randn(2000, 8) + 1))
    assert normal < float(gaussianity(torch.zeros(2000, 8)))


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_agreement_is_rewarded(name: str) -> None:
    torch.manual_seed(0)
    weights = {"invariance": 25, "variance": 25, "covariance": 1}
    a = torch.randn(256, 16)
    close = sum(OBJECTIVES[name](a, a + 0.01 * torch.randn(256, 16), weights).values())
    far = sum(OBJECTIVES[name](a, torch.randn(256, 16), weights).values())
    assert close < far
