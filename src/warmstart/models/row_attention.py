"""Attention among rows laid end to end: in buckets of like length, its gradient by hand.

Bidirectional or causal, with a window or without, with as many heads of keys and values as of queries, or
fewer (grouped queries: Ainslie et al. 2023, arXiv 2305.13245). Any model whose layers look up their attention
in transformers' AttentionInterface runs so without being re-written.
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

from warmstart.models import flash
from warmstart.models.dropout import keep_mask
from warmstart.models.rows import EVERYWHERE, HIDDEN, Arranged, Bucket, Layout, Sight

ATTENTION = "warmstart_rows"  # our name in transformers' AttentionInterface
STRETCH = 64  # causal queries that are taken together
SCORES = 300_000  # at a time: a core's own cache holds them
CURRENT: ContextVar[Layout | None] = ContextVar("layout", default=None)


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
    sight = Sight(bool(getattr(module, "is_causal", False)), sliding_window)
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

    Graphics processors have kernels for this (models/flash.py). Elsewhere, and where those do not fit, it
    goes in buckets of like length or, where products in half precision look everywhere, in tiles: their
    library prepares a product anew for each size, and keeps it. First tokens alone come in single precision
    on processors, for the same reason.
    """
    given = v_TKd.dtype  # rotated queries and keys may come in single precision beside values in half
    half = sight == EVERYWHERE and given == torch.bfloat16 and v_TKd.device.type == "cpu"
    brief = len(q_THd) != len(k_TKd)
    kind = torch.float32 if half and brief else given
    with torch.autocast(q_THd.device.type, enabled=False):
        parts = (q_THd.to(kind), k_TKd.to(kind), v_TKd.to(kind))
        if (kernel := flash.kernel(*parts, sight, dropout)) is not None:
            return kernel(*parts, layout, scale, dropout, sight)
        arranged = layout.tiled if half and not brief else layout.alike
        out: Tensor = RowAttention.apply(*parts, layout, arranged, scale, dropout, sight)  # type: ignore[no-untyped-call]
    return out.to(given)


class RowAttention(torch.autograd.Function):
    """Softmax attention piece by piece, its gradient by hand: a third of the calls that autograd makes.

    Shares are computed in single precision, in which softmax is also faster than in bfloat16, and kept in
    that of the values. What dropout leaves is raised to the same mean where numbers are few: in what comes
    out.
    """

    @staticmethod
    def forward(
        ctx: Any,
        q_THd: Tensor,
        k_TKd: Tensor,
        v_TKd: Tensor,
        layout: Layout,
        arranged: Arranged,
        scale: float,
        dropout: float,
        sight: Sight,
    ) -> Tensor:
        kept: list[Tensor | None] = []
        outs, brief, heads = [], len(q_THd) != len(k_TKd), k_TKd.shape[1]
        for bucket in arranged.buckets:
            q = head_by_head(q_THd, bucket.rows if brief else bucket.places, bucket, heads)
            k, v = (head_by_head(x, bucket.places, bucket, heads)[:, 0] for x in (k_TKd, v_TKd))
            out = torch.empty_like(q)
            kept += [q, k, v]
            for piece in pieces(bucket, q, sight):
                shares = torch.softmax(scores(piece.asking(q), piece.asked(k), bucket, piece, scale), -1)
                keep = keep_mask(shares, dropout) if dropout else None
                shares = shares.to(v.dtype)
                kept += [shares, keep]
                piece.put(out, torch.bmm(left(shares, keep), piece.asked(v)))
            outs.append(side_by_side(out, bucket, 1 / (1 - dropout)))
        ctx.save_for_backward(*kept)
        ctx.layout, ctx.arranged, ctx.brief = layout, arranged, brief
        ctx.scale, ctx.dropout, ctx.sight = scale, dropout, sight
        return torch.cat(ended(outs)).index_select(0, layout.rows_back if brief else arranged.back)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        arranged, brief, kept = ctx.arranged, ctx.brief, iter(ctx.saved_tensors)
        parts: tuple[list[Tensor], ...] = ([], [], [])
        for bucket in arranged.buckets:
            q, k, v = next(kept), next(kept), next(kept)
            g = gradient_of(grads[0], bucket, len(k) // len(bucket.rows), brief).mul_(1 / (1 - ctx.dropout))
            whole = ctx.sight == EVERYWHERE  # then no two pieces share a key
            fresh = torch.empty_like if whole else torch.zeros_like
            g_q, g_k, g_v = torch.empty_like(q), fresh(k), fresh(v)
            for piece in pieces(bucket, q, ctx.sight):
                shares, keep = next(kept), next(kept)
                own = piece.asking(g)
                add_product(piece.asked(g_v), left(shares, keep).transpose(1, 2), own, whole)
                g_shares = torch.bmm(own, piece.asked(v).transpose(1, 2))
                if keep is not None:
                    g_shares.mul_(keep)
                g_scores = torch._softmax_backward_data(g_shares, shares, -1, shares.dtype)
                piece.put(g_q, torch.bmm(g_scores, piece.asked(k)))
                add_product(piece.asked(g_k), g_scores.transpose(1, 2), piece.asking(q), whole)
            scales = (ctx.scale, ctx.scale, 1.0)
            for part, g_x, scale in zip(parts, (g_q, g_k[:, None], g_v[:, None]), scales, strict=True):
                part.append(side_by_side(g_x, bucket, scale))
        found = (torch.cat(ended(part)) for part in parts)
        back = arranged.back
        backs = (ctx.layout.rows_back if brief else back, back, back)
        return (
            *(g.index_select(0, back) for g, back in zip(found, backs, strict=True)),
            *(None,) * 5,
        )


@dataclass(frozen=True)
class Piece:
    """Queries of some rows of a bucket, and the tokens that any of them may look at."""

    rows: slice
    heads: slice  # of those rows
    queries: slice
    seen: slice
    sight: Sight

    def asking(self, q: Tensor) -> Tensor:
        """(rows * K) x (H/K * queries) x d."""
        return q[self.heads, :, self.queries].flatten(1, 2)

    def asked(self, k: Tensor) -> Tensor:
        """(rows * K) x seen x d, a part of `k`."""
        return k[self.heads, self.seen]

    def put(self, whole: Tensor, own: Tensor) -> None:
        whole[self.heads, :, self.queries] = own.view(len(own), whole.shape[1], -1, own.shape[-1])


def pieces(bucket: Bucket, q: Tensor, sight: Sight) -> Iterator[Piece]:
    """The queries of a bucket, so few at a time that their scores stay in the cache.

    Those that do not look everywhere come in stretches: what none of a stretch sees is not computed for it.
    """
    count, longest = q.shape[2], bucket.longest
    each = len(q) // len(bucket.rows)
    step, far = count if sight == EVERYWHERE else STRETCH, sight.window or longest
    for begin in range(0, count, step):
        end = min(begin + step, count)
        seen = slice(max(0, begin + 1 - far), end if sight.causal else min(longest, end - 1 + far))
        size = each * q.shape[1] * (end - begin) * (seen.stop - seen.start)
        some = max(1, SCORES // size)
        for row in range(0, len(bucket.rows), some):
            rows = slice(row, min(row + some, len(bucket.rows)))
            heads = slice(rows.start * each, rows.stop * each)
            yield Piece(rows, heads, slice(begin, end), seen, sight)


def add_product(place: Tensor, one: Tensor, other: Tensor, fresh: bool) -> None:
    """Add the products to what stands there, or put them there where it is `fresh`."""
    if fresh and place.is_contiguous():
        torch.bmm(one, other, out=place)
    elif fresh:
        place.copy_(torch.bmm(one, other))
    else:
        place.add_(torch.bmm(one, other))


def left(shares: Tensor, keep: Tensor | None) -> Tensor:
    """The shares that dropout leaves, as they are."""
    return shares if keep is None else torch.mul(shares, keep)


def ended(parts: list[Tensor]) -> list[Tensor]:
    """The parts and a row of zeros behind them, from which the tail reads."""
    return [*parts, parts[0].new_zeros(1, *parts[0].shape[1:])]


def scores(q: Tensor, k: Tensor, bucket: Bucket, piece: Piece, scale: float) -> Tensor:
    """(rows * K) x queries x seen, in single precision at least; next to nothing where nobody looks.

    Padding stands behind the real tokens, so that no causal query of theirs sees it.
    """
    raw = torch.bmm(q, k.transpose(1, 2))
    if piece.sight == EVERYWHERE:
        wide = raw.float().mul_(scale) if raw.dtype == torch.bfloat16 else raw.mul_(scale)
    else:
        begin, end, first = piece.queries.start, piece.queries.stop, piece.seen.start
        blind = blind_spots(begin - first, end - begin, k.shape[1], piece.sight, raw.device)
        blind = blind.repeat(q.shape[1] // len(blind), 1)
        wide = torch.add(blind.to(torch.promote_types(raw.dtype, blind.dtype)), raw, alpha=scale)
    if bucket.hidden is not None and not piece.sight.causal:
        hidden = bucket.hidden[piece.rows, ..., piece.seen]
        asking = piece.queries.stop - piece.queries.start
        wide.view(len(hidden), -1, asking, wide.shape[-1]).add_(hidden)
    return wide


@lru_cache(maxsize=256)
def blind_spots(lead: int, queries: int, seen: int, sight: Sight, device: torch.device) -> Tensor:
    """queries x seen: 0, or HIDDEN for what is not to be seen.

    The first query stands `lead` places behind the first token seen.
    """
    ages = torch.arange(lead, lead + queries, device=device)[:, None] - torch.arange(seen, device=device)
    hidden = (ages < 0) & sight.causal
    if sight.window is not None:
        hidden |= ages.abs() >= sight.window
    return torch.zeros(queries, seen, device=device).masked_fill_(hidden, HIDDEN)


def gradient_of(g: Tensor, bucket: Bucket, heads: int, brief: bool) -> Tensor:
    """The gradient of the queries of a bucket, in which padding has no part; a copy."""
    if not brief and bucket.real is not None:
        found = g.index_select(0, bucket.places)
        found.view(len(bucket.rows), bucket.longest, -1).mul_(bucket.real[:, 0].to(g.dtype))
        return head_by_head(found, None, bucket, heads)
    return head_by_head(g, bucket.rows if brief else bucket.places, bucket, heads)


def head_by_head(x_THd: Tensor, places: Tensor | None, bucket: Bucket, heads: int) -> Tensor:
    """(rows * K) x H/K x L x d: the tokens at these places (None: all), head by head; H/K share keys."""
    x = x_THd if places is None else x_THd.index_select(0, places)
    rows, (every, width) = len(bucket.rows), x.shape[1:]
    apart = x.view(rows, -1, heads, every // heads, width).permute(0, 2, 3, 1, 4)
    return apart.reshape(rows * heads, every // heads, -1, width)


def side_by_side(x: Tensor, bucket: Bucket, scale: float) -> Tensor:
    """(rows * L) x H x d, times `scale`: undoes `head_by_head`."""
    rows, (shared, _, width) = len(bucket.rows), x.shape[1:]
    heads = len(x) // rows
    whole = x.view(rows, heads, shared, -1, width).permute(0, 3, 1, 2, 4).reshape(-1, heads * shared, width)
    return whole if scale == 1 else whole * scale
