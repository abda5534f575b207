"""Rows laid end to end, without padding: where each begins, and how attention keeps them apart.

A batch of B rows with T tokens in all is one row of T tokens (and a short tail). Linear layers, norms and
activations touch real tokens only; attention alone has to know the rows. It takes them in buckets of like
length, so that little is padded even there. Any model whose layers look up their attention in transformers'
AttentionInterface runs so without being re-written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from warmstart.models.dropout import keep_mask, thinned

STEP = 64  # tokens; libraries prepare a product anew for each size that they have not met
ROUND = 8  # tokens, for the same reason, of the rows of a bucket
WASTE = 1.2  # a bucket may hold that many times its real tokens
ATTENTION = "warmstart_rows"  # our name in transformers' AttentionInterface
LAYOUT = "_layout"  # key of a batch's Layout in its state
CURRENT: ContextVar[Layout | None] = ContextVar("layout", default=None)


@dataclass(frozen=True)
class Bucket:
    """Rows of like length, padded to the longest of them."""

    rows: Tensor  # their numbers in the batch
    longest: int
    places: Tensor  # rows * longest numbers of tokens; where there is none, that of the first
    real: Tensor | None  # rows x 1 x longest x 1: 1 for a token, 0 for padding; None if there is no padding

    @cached_property
    def hidden(self) -> Tensor | None:
        """rows x 1 x 1 x longest, to be added to scores: minus infinity for padding."""
        return None if self.real is None else self.real.log().transpose(2, 3)


@dataclass(frozen=True)
class Layout:
    """Lengths of the rows of a batch, in their order."""

    lengths: NDArray[np.int64]
    device: torch.device = torch.device("cpu")

    def to(self, device: torch.device) -> Layout:
        return self if device == self.device else Layout(self.lengths, device)

    @cached_property
    def real(self) -> int:
        """Tokens of all rows."""
        return int(self.lengths.sum())

    @cached_property
    def size(self) -> int:
        """T: tokens with a tail that belongs to no row, so that few sizes of products come up."""
        return -(-self.real // STEP) * STEP

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """The number of the first token of each row."""
        return np.cumsum(self.lengths) - self.lengths

    @cached_property
    def starts(self) -> Tensor:
        return torch.from_numpy(self.first).to(self.device)

    @cached_property
    def positions(self) -> Tensor:
        """T: the place of each token in its row, from 0; 0 in the tail."""
        places = np.zeros(self.size, np.int64)
        places[: self.real] = np.arange(self.real) - np.repeat(self.first, self.lengths)
        return torch.from_numpy(places).to(self.device)

    @cached_property
    def owners(self) -> Tensor:
        """For each real token the number of the row that it belongs to."""
        return torch.from_numpy(np.repeat(np.arange(len(self.lengths)), self.lengths)).to(self.device)

    @cached_property
    def buckets(self) -> tuple[Bucket, ...]:
        order = np.argsort(self.lengths, kind="stable")
        return tuple(self.bucket(order[a:b]) for a, b in cut_points(self.lengths[order]))

    def bucket(self, rows: NDArray[np.int64]) -> Bucket:
        lengths = self.lengths[rows]
        longest = int(-(-lengths.max() // ROUND) * ROUND)
        inside = np.arange(longest)[None] < lengths[:, None]
        places = np.where(inside, self.first[rows][:, None] + np.arange(longest)[None], 0)
        real = None if inside.all() else torch.from_numpy(inside.astype(np.float32))[:, None, :, None]
        flat = torch.from_numpy(places.reshape(-1)).to(self.device)
        real = None if real is None else real.to(self.device)
        return Bucket(torch.from_numpy(rows).to(self.device), longest, flat, real)

    @cached_property
    def back(self) -> Tensor:
        """T: where each token stands once all buckets are laid end to end; behind them for the tail."""
        back, passed = np.empty(self.size, np.int64), 0
        for bucket in self.buckets:
            places = bucket.places.cpu().numpy()
            real = np.arange(len(places))
            if bucket.real is not None:
                real = np.flatnonzero(bucket.real.cpu().numpy())
            back[places[real]] = passed + real
            passed += len(places)
        back[self.real :] = passed
        return torch.from_numpy(back).to(self.device)

    @cached_property
    def rows_back(self) -> Tensor:
        """B: where each row stands once the rows of all buckets are one behind the other."""
        return torch.argsort(torch.cat([bucket.rows for bucket in self.buckets]))


def cut_points(ascending: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Stretches of rows, sorted by length, that waste little when each is padded to its longest row."""
    begin, real = 0, 0
    for i, length in enumerate(ascending):
        if i > begin and length * (i - begin + 1) > WASTE * (real + length):
            yield begin, i
            begin, real = i, 0
        real += int(length)
    yield begin, len(ascending)


def row_means(x_TD: Tensor, layout: Layout) -> Tensor:
    """B x D: the mean over the tokens of each row."""
    sums_BD = x_TD.new_zeros(len(layout.lengths), x_TD.shape[1])
    sums_BD.index_add_(0, layout.owners, x_TD[: layout.real])
    return sums_BD / torch.from_numpy(layout.lengths).to(sums_BD)[:, None]


def layout_of(state: Mapping[str, Any]) -> Layout | None:
    """The layout of a state whose rows lie end to end."""
    return state.get(LAYOUT)


def with_layout(state: Mapping[str, Tensor], layout: Layout) -> dict[str, Tensor]:
    """The state of rows that lie end to end. The layout travels among the tensors, and is none."""
    return {**state, LAYOUT: cast(Tensor, layout)}


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
    **unused: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers asks for it: 1 x H x T x d in, 1 x T x H x d out, rows kept apart."""
    layout = CURRENT.get()
    assert layout is not None, "rows were laid end to end, and nobody said where they begin"
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    q_THd, k_THd, v_THd = (x[0].transpose(0, 1) for x in (query, key, value))
    return attention(q_THd, k_THd, v_THd, layout, scale, dropout).to(query.dtype).unsqueeze(0), None


def attention(
    q_THd: Tensor, k_THd: Tensor, v_THd: Tensor, layout: Layout, scale: float, dropout: float
) -> Tensor:
    """T x H x d: each token of a row attends to the tokens of that row; zero in the tail.

    With B queries instead of T they are those of the first tokens, and so is what comes out. Processors
    compute it in single precision: its products are many, small and of ever new sizes, each of which the
    library for bfloat16 prepares anew, and keeps.
    """
    kind = torch.float32 if q_THd.device.type == "cpu" and q_THd.dtype == torch.bfloat16 else q_THd.dtype
    with torch.autocast(q_THd.device.type, enabled=False):
        q_THd, k_THd, v_THd = (x.to(kind) for x in (q_THd, k_THd, v_THd))
        out: Tensor = RowAttention.apply(q_THd, k_THd, v_THd, layout, scale, dropout)  # type: ignore[no-untyped-call]
    return out


class RowAttention(torch.autograd.Function):
    """Softmax attention bucket by bucket, its gradient by hand: a third of the calls that autograd makes.

    Shares are kept in single precision, in which softmax is also several times as fast as in bfloat16.
    """

    @staticmethod
    def forward(
        ctx: Any, q_THd: Tensor, k_THd: Tensor, v_THd: Tensor, layout: Layout, scale: float, dropout: float
    ) -> Tensor:
        kept: list[Tensor | None] = []
        outs = []
        brief = len(q_THd) != len(k_THd)
        for bucket in layout.buckets:
            k, v = tokens(k_THd, bucket), tokens(v_THd, bucket)
            q = firsts(q_THd, bucket) if brief else tokens(q_THd, bucket)
            shares = torch.softmax(scores(q, k, bucket, scale), -1)
            keep = keep_mask(shares, dropout) if dropout else None
            outs.append(side_by_side(torch.bmm(thinned(shares, keep, dropout).to(v.dtype), v), bucket))
            kept += [q, k, v, shares, keep]
        ctx.save_for_backward(*kept)
        ctx.layout, ctx.scale, ctx.dropout, ctx.brief = layout, scale, dropout, brief
        return torch.cat(ended(outs)).index_select(0, layout.rows_back if brief else layout.back)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        layout, kept, brief = ctx.layout, ctx.saved_tensors, ctx.brief
        parts: tuple[list[Tensor], ...] = ([], [], [])
        for i, bucket in enumerate(layout.buckets):
            q, k, v, shares, keep = kept[5 * i : 5 * i + 5]
            g = firsts(grads[0], bucket) if brief else real_only(tokens(grads[0], bucket), bucket)
            g_v = torch.bmm(thinned(shares, keep, ctx.dropout).to(g.dtype).transpose(1, 2), g)
            g_shares = thinned(torch.bmm(g, v.transpose(1, 2)).to(shares.dtype), keep, ctx.dropout)
            g_scores = torch._softmax_backward_data(g_shares, shares, -1, shares.dtype)
            g_scores = g_scores.mul_(ctx.scale).to(g.dtype)
            g_q, g_k = torch.bmm(g_scores, k), torch.bmm(g_scores.transpose(1, 2), q)
            for part, g_x in zip(parts, (g_q, g_k, g_v), strict=True):
                part.append(side_by_side(g_x, bucket))
        g_q, g_k, g_v = (torch.cat(ended(part)) for part in parts)
        backs = (layout.rows_back if brief else layout.back, layout.back, layout.back)
        found = (g_x.index_select(0, back) for g_x, back in zip((g_q, g_k, g_v), backs, strict=True))
        return *found, None, None, None


def ended(parts: list[Tensor]) -> list[Tensor]:
    """The parts and a row of zeros behind them, from which the tail reads."""
    return [*parts, parts[0].new_zeros(1, *parts[0].shape[1:])]


def scores(q: Tensor, k: Tensor, bucket: Bucket, scale: float) -> Tensor:
    """(rows * H) x queries x longest, in single precision at least; no token looks at padding."""
    raw = torch.bmm(q, k.transpose(1, 2))
    wide = raw.float().mul_(scale) if raw.dtype == torch.bfloat16 else raw.mul_(scale)
    if bucket.hidden is not None:
        wide.view(len(bucket.rows), -1, *wide.shape[1:]).add_(bucket.hidden)
    return wide


def real_only(g: Tensor, bucket: Bucket) -> Tensor:
    """A gradient in which padding has no part."""
    if bucket.real is not None:
        g.view(len(bucket.rows), -1, *g.shape[1:]).mul_(bucket.real.to(g.dtype))
    return g


def tokens(x_THd: Tensor, bucket: Bucket) -> Tensor:
    """(rows * H) x longest x d: the tokens of a bucket, head by head."""
    return head_by_head(x_THd.index_select(0, bucket.places), bucket)


def firsts(x_BHd: Tensor, bucket: Bucket) -> Tensor:
    """(rows * H) x 1 x d: the first token of each row of a bucket, head by head."""
    return head_by_head(x_BHd.index_select(0, bucket.rows), bucket)


def head_by_head(x: Tensor, bucket: Bucket) -> Tensor:
    heads, width = x.shape[1:]
    return (
        x.view(len(bucket.rows), -1, heads, width)
        .transpose(1, 2)
        .reshape(len(bucket.rows) * heads, -1, width)
    )


def side_by_side(x: Tensor, bucket: Bucket) -> Tensor:
    """(rows * queries) x H x d: undoes `head_by_head`."""
    rows, heads = len(bucket.rows), len(x) // len(bucket.rows)
    return x.view(rows, heads, *x.shape[1:]).transpose(1, 2).reshape(-1, heads, x.shape[-1])
