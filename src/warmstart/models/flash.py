"""Attention among rows laid end to end in one kernel, where a graphics processor has one.

FlashAttention-2 (Dao 2023, arXiv 2307.08691) in half precision, the memory-efficient kernel (Rabe and Staats
2021, arXiv 2112.05682) in single; both come with torch, which knows their gradients. The tail behind the rows
is one more row, so that what stands there is finite.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from warmstart.models.rows import EVERYWHERE, Layout, Sight

Kernel = Callable[[Tensor, Tensor, Tensor, Layout, float, float, Sight], Tensor]
HALVES = (torch.bfloat16, torch.float16)
WIDEST = (
    192  # numbers of a head that flash attention can also give the gradient of, on every card that has it
)
UNBOUNDED = -1  # on that side of a window


def kernel(q_THd: Tensor, k_TKd: Tensor, v_TKd: Tensor, sight: Sight, dropout: float) -> Kernel | None:
    """What computes such attention at once; None where there is nothing that can.

    The memory-efficient kernel drops shares at another rate than it is told among rows end to end (1.04 times
    the mean came out), so that it is left out where some are dropped.
    """
    if not q_THd.is_cuda:
        return None
    width, same = q_THd.shape[-1], q_THd.shape[1] == k_TKd.shape[1] and v_TKd.shape == k_TKd.shape
    if v_TKd.dtype in HALVES and v_TKd.shape == k_TKd.shape and width % 8 == 0 and width <= WIDEST:
        return flash if has_flash(q_THd.device) else None
    plain = v_TKd.dtype == torch.float32 and same and not (dropout or sight.window) and width % 4 == 0
    return efficient if plain and len(q_THd) == len(k_TKd) and has("_efficient_attention_forward") else None


@lru_cache
def has(name: str) -> bool:
    """Does this torch know the operation?"""
    return hasattr(torch.ops.aten, name)


@lru_cache
def has_flash(device: torch.device) -> bool:
    """Does torch have the kernel, and the card what it needs?"""
    built = torch.backends.cuda.is_flash_attention_available() and has("_flash_attention_forward")
    return built and torch.cuda.get_device_capability(device) >= (8, 0)


def flash(
    q: Tensor, k: Tensor, v: Tensor, layout: Layout, scale: float, dropout: float, sight: Sight
) -> Tensor:
    """T x H x d, or B x H x d for queries of first tokens, to which one is added for the tail."""
    brief, rows = len(q) != len(k), len(q)
    if brief:
        q = torch.cat([q, q.new_zeros(1, *q.shape[1:])])
    asking, most = (layout.heads, 1) if brief else (layout.bounds, layout.longest)
    far = UNBOUNDED if sight.window is None else sight.window - 1
    out: Tensor = torch.ops.aten._flash_attention_forward(
        *(q, k, v, asking, layout.bounds, most, layout.longest, dropout, sight.causal, False),
        scale=scale,
        window_size_left=far,
        window_size_right=0 if sight.causal else far,
    )[0]
    return out[:rows]


def efficient(
    q: Tensor, k: Tensor, v: Tensor, layout: Layout, scale: float, dropout: float, sight: Sight
) -> Tensor:
    """T x H x d in single precision."""
    assert sight.window is None and (sight == EVERYWHERE or sight.causal)
    learns = torch.is_grad_enabled() and any(x.requires_grad for x in (q, k, v))
    out: Tensor = torch.ops.aten._efficient_attention_forward(
        *(q[None], k[None], v[None], None, layout.bounds, layout.bounds, layout.longest, layout.longest),
        dropout,
        int(sight.causal),
        learns,
        scale=scale,
    )[0]
    return out[0]
