"""Computing over all processes as one would over the whole batch: sums and batches with their gradients, batch norm.

Every process has an equal share of the batch. A loss term is that process's part of the batch's: the parts add up to
it, and the gradients of all processes to its gradient. With one process everything here is the identity.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn


def world() -> int:
    """The number of processes."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


class _Sum(torch.autograd.Function):
    """The sum over processes; what a process gave counts in everybody's, so their gradients are summed too."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        value = value.clone()
        distributed.all_reduce(value)
        return value

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        distributed.all_reduce(gradient)
        return gradient


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(world())]
        distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        distributed.all_reduce(gradient)
        return gradient.chunk(world())[distributed.get_rank()]


def summed(value: Tensor) -> Tensor:
    """The sum of every process's `value`, with gradients."""
    return value if world() == 1 else _Sum.apply(value)  # type: ignore[no-untyped-call]


def gathered(rows: Tensor) -> Tensor:
    """[B, ...] of each process -> [processes * B, ...] of all in every process, with gradients."""
    return rows if world() == 1 else _Gather.apply(rows)  # type: ignore[no-untyped-call]


def of_the_first(value: Tensor) -> Tensor:
    """The first process's `value`; without a gradient."""
    if world() > 1:
        value = value.contiguous()
        distributed.broadcast(value, 0)
    return value


class BatchNormAcross(nn.BatchNorm1d):
    """`nn.BatchNorm1d` whose statistics are those of all processes' batches, on any device (PyTorch's own wants a
    GPU)."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or world() == 1:
            return super().forward(x)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        over = [0, *range(2, x.dim())]
        shape = (1, -1, *[1] * (x.dim() - 2))
        count = x.numel() / x.shape[1] * world()
        mean = summed(x.sum(dim=over)) / count
        centered = x - mean.view(shape)
        variance = summed(centered.square().sum(dim=over)) / count
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            weight = self.momentum if self.momentum is not None else 1 / int(self.num_batches_tracked)
            self.running_mean.lerp_(mean.detach().to(self.running_mean.dtype), weight)
            unbiased = variance.detach() * count / (count - 1)
            self.running_var.lerp_(unbiased.to(self.running_var.dtype), weight)
        y = centered * torch.rsqrt(variance + self.eps).view(shape)
        return y if self.weight is None else y * self.weight.view(shape) + self.bias.view(shape)


def with_shared_statistics(module: nn.Module) -> None:
    """Batch norms of `module` -> those of all processes, in place and with the same parameters; nothing with one.

    On a GPU PyTorch's `SyncBatchNorm`, whose kernels are fused.
    """
    if world() == 1:
        return
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm1d):
            setattr(module, name, _shared(child))
        else:
            with_shared_statistics(child)


def _shared(norm: nn.BatchNorm1d) -> nn.Module:
    if next(iter(norm.buffers())).is_cuda:
        return nn.SyncBatchNorm.convert_sync_batchnorm(norm)  # type: ignore[no-untyped-call]
    other = BatchNormAcross(norm.num_features, norm.eps, norm.momentum, norm.affine)
    other.weight, other.bias = norm.weight, norm.bias
    for name, buffer in norm.named_buffers():
        setattr(other, name, buffer)
    return other
