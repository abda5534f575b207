"""Dropout from few random numbers: one draw of 64 bits decides over four activations.

On a CPU drawing them one by one takes longer than the layer beside it. The mask is kept as one byte an
activation. Elsewhere torch's own dropout is used.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

STEPS = 65536  # of 16 bits: a rate is met to within 1e-5


def keep_mask(like: Tensor, rate: float) -> Tensor:
    """1 where an activation stays, 0 where it is dropped, as bytes; drawn from torch's generator."""
    count = like.numel()
    if like.device.type != "cpu":
        return (torch.rand_like(like, dtype=torch.float32) >= rate).view(torch.uint8)
    drawn = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    least = round(rate * STEPS) - STEPS // 2
    return (drawn.view(torch.int16)[:count] >= least).view(torch.uint8).view(like.shape)


def thinned(x: Tensor, keep: Tensor | None, rate: float) -> Tensor:
    """`x` without what is dropped, the rest raised so that the mean stays."""
    return x if keep is None else torch.mul(x, keep).mul_(1 / (1 - rate))


class Thin(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rate: float) -> Tensor:
        keep = keep_mask(x, rate)
        ctx.save_for_backward(keep)
        ctx.rate = rate
        return thinned(x, keep, rate)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return thinned(grads[0], ctx.saved_tensors[0], ctx.rate), None


class Dropout(nn.Dropout):
    """torch's Dropout, faster on a CPU."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not 0 < self.p < 1 or x.device.type != "cpu":
            return super().forward(x)
        out: Tensor = Thin.apply(x, self.p)  # type: ignore[no-untyped-call]
        return out


def quicken(model: nn.Module) -> None:
    """Put fast dropouts in the places of a model's plain ones."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.Dropout:
                setattr(parent, name, Dropout(child.p, child.inplace).train(child.training))
