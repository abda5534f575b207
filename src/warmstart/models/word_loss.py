"""Cross-entropy over a large vocabulary, fused with the output layer: scores of few tokens live at a time.

The gradient is made in the forward pass, chunk by chunk, while the scores are there (as in Liger's fused
linear cross-entropy: Hsu et al. 2024, arXiv 2410.10989), so that nothing is kept or computed again for the
backward pass. Exact: the loss in single precision whatever the products are computed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from warmstart.models.device import CPU

SCORES = 6_500_000  # alive at a time: what a processor's last cache holds
MANY = 30_000_000  # the same on a graphics processor, which few do not keep busy
LEARNING = 4  # times as many where the output layer learns, whose gradient is passed over once a chunk
ROUND = 32  # tokens: libraries prepare a product anew for each size that they have not met
FAINT = 1e-30  # below it the share of a word is too near to what float32 can say to take its logarithm


@dataclass(frozen=True)
class WordLosses:
    """Of each token: the loss, and whether its word was the likeliest."""

    losses_T: Tensor
    right_T: Tensor


def word_loss(
    hidden_TD: Tensor, weight_VD: Tensor, bias_V: Tensor | None, words_T: Tensor, kind: torch.dtype
) -> Tensor:
    """The summed cross-entropy of these words under scores hidden @ weight.T + bias.

    Products are computed in `kind`. Gradients are made for what asks for them, and in its own precision.
    """
    with torch.autocast(hidden_TD.device.type, enabled=False):
        out: Tensor = WordLoss.apply(hidden_TD, weight_VD, bias_V, words_T, kind)  # type: ignore[no-untyped-call]
    return out


@torch.no_grad()
def word_losses(
    hidden_TD: Tensor, weight_VD: Tensor, bias_V: Tensor | None, words_T: Tensor, kind: torch.dtype
) -> WordLosses:
    """The same for each token, without gradients."""
    losses, right = [hidden_TD.new_zeros(0, dtype=torch.float32)], [words_T.new_zeros(0, dtype=torch.bool)]
    with torch.autocast(hidden_TD.device.type, enabled=False):
        for each in chunks(hidden_TD, weight_VD, bias_V, words_T, kind, at_a_time(hidden_TD.device)):
            losses.append(each.losses)
            right.append(each.shares.amax(-1)[: each.count] == each.own)
    return WordLosses(torch.cat(losses), torch.cat(right))


class WordLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden_TD: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor | None,
        words_T: Tensor,
        kind: torch.dtype,
    ) -> Tensor:
        of_hidden, of_weight, of_bias = ctx.needs_input_grad[:3]
        total = hidden_TD.new_zeros((), dtype=torch.float64)
        g_hidden = torch.empty_like(hidden_TD) if of_hidden else None
        g_weight = torch.zeros_like(weight_VD) if of_weight else None
        g_bias = None if bias_V is None or not of_bias else torch.zeros_like(bias_V)
        size = at_a_time(hidden_TD.device) * (LEARNING if of_weight else 1)
        for each in chunks(hidden_TD, weight_VD, bias_V, words_T, kind, size):
            total += each.losses.sum(dtype=torch.float64)
            g_scores = each.gradient() if of_hidden or of_weight or g_bias is not None else None
            if g_hidden is not None and g_scores is not None:
                g_hidden[each.start : each.start + each.count] = (g_scores @ each.weight)[: each.count]
            if g_weight is not None and g_scores is not None:
                g_weight += g_scores.t() @ each.hidden
            if g_bias is not None and g_scores is not None:
                g_bias += g_scores.sum(0, dtype=g_bias.dtype)
        ctx.save_for_backward(g_hidden, g_weight, g_bias)
        return total.to(torch.promote_types(hidden_TD.dtype, torch.float32))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        found = (None if g is None else g * grads[0].to(g.dtype) for g in ctx.saved_tensors)
        return *found, None, None


@dataclass
class Chunk:
    """A few tokens with the shares that the output layer gives to all words; behind `count` they are none."""

    start: int
    count: int
    hidden: Tensor
    weight: Tensor
    words: Tensor
    shares: Tensor
    scores: Tensor
    own: Tensor  # shares of the words asked about
    losses: Tensor

    def gradient(self) -> Tensor:
        """Of the summed loss by the scores; takes their place."""
        rows = torch.arange(self.count, device=self.words.device)
        self.shares[rows, self.words] -= 1
        self.shares[self.count :] = 0
        return self.shares if self.scores.dtype == self.shares.dtype else self.scores.copy_(self.shares)


def chunks(
    hidden_TD: Tensor, weight_VD: Tensor, bias_V: Tensor | None, words_T: Tensor, kind: torch.dtype, most: int
) -> Iterator[Chunk]:
    """The tokens in as few like stretches as `most` scores at a time allow; their room is used again."""
    if not len(words_T):
        return
    exact = torch.promote_types(kind, torch.float32)
    weight = weight_VD.detach().to(kind)
    size = chunk_size(len(words_T), len(weight), most)
    hidden = weight.new_zeros(size, weight.shape[1])
    scores = weight.new_empty(size, len(weight))
    shares = torch.empty_like(scores, dtype=exact)
    for start in range(0, len(words_T), size):
        words = words_T[start : start + size]
        hidden[: len(words)] = hidden_TD[start : start + size]
        torch.mm(hidden, weight.t(), out=scores)
        if bias_V is not None:
            scores += bias_V.to(kind)
        torch.softmax(shares.copy_(scores), -1, out=shares)  # asked for another type, it would take room anew
        own = shares[: len(words)].gather(1, words[:, None])[:, 0]
        yield Chunk(
            start, len(words), hidden, weight, words, shares, scores, own, losses_of(own, scores, words)
        )


def at_a_time(device: torch.device) -> int:
    """Scores that may be alive at a time."""
    return SCORES if device.type == CPU else MANY


def chunk_size(tokens: int, words: int, most: int) -> int:
    """Tokens at a time: evenly shared, rounded up."""
    parts = -(-tokens // max(ROUND, most // words))
    each = -(-tokens // parts)
    return -(-each // ROUND) * ROUND


def losses_of(own: Tensor, scores: Tensor, words: Tensor) -> Tensor:
    """Minus the logarithm of the shares; from the scores themselves where a share is next to nothing."""
    losses = -own.log()
    faint = (~(own > FAINT)).nonzero()[:, 0]
    if len(faint):
        losses[faint] = cross_entropy(scores[faint].to(losses.dtype), words[faint], reduction="none")
    return losses
