"""Attention among rows laid end to end: bucket by bucket, its gradient by hand.

Bidirectional or causal, with a window or without, with as many heads of keys and values as of queries or fewer
(grouped queries: Ainslie et al. 2023, arXiv 2305.13245). Any model whose layers look up their attention in
transformers' AttentionInterface runs so without being re-written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from warmstart.models.dropout import keep_mask, thinned
from warmstart.models.rows import Bucket, Layout

ATTENTION = "warmstart_rows"  # our name in transformers' AttentionInterface
CURRENT: ContextVar[Layout | None] = ContextVar("layout", default=None)


@dataclass(frozen=True)
class Sight:
    """Which tokens of its row a token looks at: all; or itself and those before it, at most `window` of them."""

    causal: bool = False
    window: int | None = None  # tokens, itself included; only where it is causal


EVERYWHERE = Sight()


@contextmanager
def laid_out(config: Any, layout: Layout | None) -> Iterator[None]:
    """Meanwhile the attention of the model with this configuration keeps the rows of `layout` apart.

    Without a layout everything stays as it is.
    """
    if layout is None:
        yield
        return
    register()
    before, token = config._attn_implementation, CURRENT.set(layout)
    config._attn_implementation = ATTENTION
    try:
        yield
    finally:
        config._attn_implementation = before
        CURRENT.reset(token)


def register() -> None:
    """Make our attention known to transformers, once."""
    from transformers import AttentionInterface

    if ATTENTION not in AttentionInterface._global_mapping:
        AttentionInterface.register(ATTENTION, attend)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **unused: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers asks for it: 1 x H x T x d in, 1 x T x H x d out, rows kept apart."""
    layout = CURRENT.get()
    assert layout is not None, "rows were laid end to end, and nobody said where they begin"
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    sight = Sight(True, sliding_window) if getattr(module, "is_causal", False) else EVERYWHERE
    q_THd, k_THd, v_THd = (x[0].transpose(0, 1) for x in (query, key, value))
    return attention(q_THd, k_THd, v_THd, layout, scale, dropout, sight).unsqueeze(0), None


def attention(
    q_THd: Tensor,
    k_TKd: Tensor,
    v_TKd: Tensor,
    layout: Layout,
    scale: float,
    dropout: float,
    sight: Sight = EVERYWHERE,
) -> Tensor:
    """T x H x d: each token of a row attends to the tokens of that row; zero in the tail.

    K heads of keys and values serve H/K heads of queries each. With B queries instead of T, which look
    everywhere, they are those of the first tokens, and so is what comes out.
    """
    kind = v_TKd.dtype  # rotated queries and keys may come in single precision beside values in half
    with torch.autocast(q_THd.device.type, enabled=False):
        out: Tensor = RowAttention.apply(  # type: ignore[no-untyped-call]
            q_THd.to(kind), k_TKd.to(kind), v_TKd, layout, scale, dropout, sight
        )
    return out


class RowAttention(torch.autograd.Function):
    """Softmax attention bucket by bucket, its gradient by hand: a third of the calls that autograd makes.

    Shares are kept in single precision, in which softmax is also several times as fast as in bfloat16.
    """

    @staticmethod
    def forward(
        ctx: Any,
        q_THd: Tensor,
        k_TKd: Tensor,
        v_TKd: Tensor,
        layout: Layout,
        scale: float,
        dropout: float,
        sight: Sight,
    ) -> Tensor:
        kept: list[Tensor | None] = []
        outs = []
        brief, heads = len(q_THd) != len(k_TKd), k_TKd.shape[1]
        for bucket in layout.buckets:
            k, v = tokens(k_TKd, bucket, heads), tokens(v_TKd, bucket, heads)
            q = firsts(q_THd, bucket, heads) if brief else tokens(q_THd, bucket, heads)
            shares = torch.softmax(scores(q, k, bucket, scale, sight), -1)
            keep = keep_mask(shares, dropout) if dropout else None
            outs.append(side_by_side(torch.bmm(thinned(shares, keep, dropout).to(v.dtype), v), bucket, q_THd))
            kept += [q, k, v, shares, keep]
        ctx.save_for_backward(*kept)
        ctx.layout, ctx.scale, ctx.dropout, ctx.brief = layout, scale, dropout, brief
        ctx.like = q_THd[:0], k_TKd[:0]
        return torch.cat(ended(outs)).index_select(0, layout.rows_back if brief else layout.back)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        layout, kept, brief, (like_q, like_k) = ctx.layout, ctx.saved_tensors, ctx.brief, ctx.like
        parts: tuple[list[Tensor], ...] = ([], [], [])
        heads = like_k.shape[1]
        for i, bucket in enumerate(layout.buckets):
            q, k, v, shares, keep = kept[5 * i : 5 * i + 5]
            g = firsts(grads[0], bucket, heads) if brief else real_only(grads[0], bucket, heads)
            g_v = torch.bmm(thinned(shares, keep, ctx.dropout).to(g.dtype).transpose(1, 2), g)
            g_shares = thinned(torch.bmm(g, v.transpose(1, 2)).to(shares.dtype), keep, ctx.dropout)
            g_scores = torch._softmax_backward_data(g_shares, shares, -1, shares.dtype)
            g_scores = g_scores.mul_(ctx.scale).to(g.dtype)
            g_q, g_k = torch.bmm(g_scores, k), torch.bmm(g_scores.transpose(1, 2), q)
            for part, g_x, like in zip(parts, (g_q, g_k, g_v), (like_q, like_k, like_k), strict=True):
                part.append(side_by_side(g_x, bucket, like))
        g_q, g_k, g_v = (torch.cat(ended(part)) for part in parts)
        backs = (layout.rows_back if brief else layout.back, layout.back, layout.back)
        found = (g_x.index_select(0, back) for g_x, back in zip((g_q, g_k, g_v), backs, strict=True))
        return *found, None, None, None, None


def ended(parts: list[Tensor]) -> list[Tensor]:
    """The parts and a row of zeros behind them, from which the tail reads."""
    return [*parts, parts[0].new_zeros(1, *parts[0].shape[1:])]


def scores(q: Tensor, k: Tensor, bucket: Bucket, scale: float, sight: Sight) -> Tensor:
    """(rows * K) x queries x longest, in single precision at least; minus infinity where nobody looks.

    Padding stands behind the real tokens, so that no causal query of theirs sees it.
    """
    raw = torch.bmm(q, k.transpose(1, 2))
    if sight.causal:
        blind = blind_spots(bucket.longest, q.shape[1] // bucket.longest, sight.window, raw.device)
        return torch.add(blind.to(torch.promote_types(raw.dtype, blind.dtype)), raw, alpha=scale)
    wide = raw.float().mul_(scale) if raw.dtype == torch.bfloat16 else raw.mul_(scale)
    if bucket.hidden is not None:
        wide.view(len(bucket.rows), -1, *wide.shape[1:]).add_(bucket.hidden)
    return wide


@lru_cache(maxsize=64)
def blind_spots(length: int, times: int, window: int | None, device: torch.device) -> Tensor:
    """(times * length) x length: minus infinity for tokens behind the one that asks, or too far before it."""
    ages = torch.arange(length, device=device)[:, None] - torch.arange(length, device=device)[None]
    hidden = (ages < 0) if window is None else (ages < 0) | (ages >= window)
    return torch.zeros(length, length, device=device).masked_fill_(hidden, -torch.inf).repeat(times, 1)


def real_only(g_THd: Tensor, bucket: Bucket, heads: int) -> Tensor:
    """The gradient of the tokens of a bucket, in which padding has no part."""
    g = g_THd.index_select(0, bucket.places)
    if bucket.real is not None:
        g.view(len(bucket.rows), bucket.longest, -1).mul_(bucket.real[:, 0].to(g.dtype))
    return head_by_head(g, bucket, heads)


def tokens(x_THd: Tensor, bucket: Bucket, heads: int) -> Tensor:
    """(rows * heads) x (H/heads * longest) x d: the tokens of a bucket, head by head."""
    return head_by_head(x_THd.index_select(0, bucket.places), bucket, heads)


def firsts(x_BHd: Tensor, bucket: Bucket, heads: int) -> Tensor:
    """(rows * heads) x (H/heads) x d: the first token of each row of a bucket, head by head."""
    return head_by_head(x_BHd.index_select(0, bucket.rows), bucket, heads)


def head_by_head(x: Tensor, bucket: Bucket, heads: int) -> Tensor:
    """Heads of queries that share their keys stand one behind the other, as if their tokens were more."""
    rows, width = len(bucket.rows), x.shape[-1]
    return x.view(rows, -1, heads, x.shape[1] // heads, width).permute(0, 2, 3, 1, 4).reshape(
        rows * heads, -1, width
    )


def side_by_side(x: Tensor, bucket: Bucket, like_THd: Tensor) -> Tensor:
    """(rows * tokens) x H x d: undoes `head_by_head`; `like_THd` has that many heads."""
    rows, (every, width) = len(bucket.rows), like_THd.shape[1:]
    heads = len(x) // rows
    return x.view(rows, heads, every // heads, -1, width).permute(0, 3, 1, 2, 4).reshape(-1, every, width)
