"""A decoder's layer that averages: the last token comes out as the mean of all tokens of its row.

It is a layer of the model's own architecture with set weights, so that the saved model loads and runs without
us. Queries and keys are zero: causal attention is even, and the last token sees all. Values are the tokens as
the model's last norm gives them, the output is SHARP times their mean, beside which the token itself hardly
counts, and the feed-forward part adds nothing. The last norm, now plain, brings it back to size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from warmstart.models.anatomy import another

SHARP = 1000.0  # residuals of decoders grow with depth, some to hundreds; the norm behind takes any scale


@dataclass(frozen=True)
class Names:
    """Paths of what a decoder's layer is made of."""

    attention: str
    first_norm: str
    out: str
    feed_out: str


@torch.no_grad()
def twin(layer: nn.Module, config: Any, number: int, names: Names) -> Any:
    """A copy of the layer as the model's number `number`, in which what adds to the tokens is zero."""
    layer = another(layer, config)
    attention: Any = layer.get_submodule(names.attention)
    attention.layer_idx = number
    for path in (names.out, names.feed_out):
        for parameter in layer.get_submodule(path).parameters():
            parameter.zero_()
    return layer


@torch.no_grad()
def take_over(norm: nn.Module, last: nn.Module) -> None:
    """`norm` becomes what `last` is, and `last` one that only scales."""
    norm.load_state_dict(last.state_dict())
    last.weight.fill_(plain_weight(last))  # type: ignore[operator]
    if getattr(last, "bias", None) is not None:
        last.bias.zero_()  # type: ignore[operator]


def plain_weight(norm: nn.Module) -> float:
    """What a weight is that changes nothing: 1, or 0 where the norm adds 1 to it, as Gemma's does."""
    return 0.0 if "Gemma" in type(norm).__name__ else 1.0


@torch.no_grad()
def even_apart(attention: Any, width: int) -> None:
    """Llama's attention, with projections of their own for queries, keys and values of grouped heads."""
    for linear in (attention.q_proj, attention.k_proj, attention.v_proj):
        for parameter in linear.parameters():
            parameter.zero_()
    size, groups = attention.head_dim, attention.num_key_value_groups
    numbers = torch.arange(width)
    attention.v_proj.weight[numbers, numbers] = 1.0
    heads, inside = numbers // size * groups, numbers % size  # of each group of heads the first is read
    attention.o_proj.weight[numbers, heads * size + inside] = SHARP


@torch.no_grad()
def even_mixed(fused: nn.Linear, out: nn.Linear, heads: int) -> None:
    """GPT-NeoX's: one projection gives each head its query, key and value."""
    width = fused.in_features
    for parameter in fused.parameters():
        parameter.zero_()
    fused.weight.view(heads, 3, -1, width)[:, 2] = torch.eye(width).to(fused.weight).view(heads, -1, width)
    scaled_eye(out.weight)


@torch.no_grad()
def even_in_a_row(fused: Any, out: Any) -> None:
    """GPT-2's: one transposed projection gives all queries, then all keys, then all values."""
    for parameter in fused.parameters():
        parameter.zero_()
    width = len(fused.weight)
    fused.weight[:, 2 * width :] = torch.eye(width)
    scaled_eye(out.weight)


def scaled_eye(weight_DD: Tensor) -> None:
    weight_DD.copy_(SHARP * torch.eye(len(weight_DD)))


def can_ungroup(attention: Any, width: int) -> bool:
    """Are the heads together wide enough to carry a whole token?"""
    return bool(attention.q_proj.out_features >= width)


@torch.no_grad()
def ungroup(layers: Any, config: Any) -> None:
    """Write grouped keys and values out, one for each head, where together they are narrower than a token.

    The model answers as before. The added layer needs as many values as a token is wide, and how heads are
    grouped is one setting for all layers.
    """
    first = layers[0].self_attn
    if first.v_proj.out_features >= config.hidden_size:
        return
    for layer in layers:
        attention = layer.self_attn
        for name in ("k_proj", "v_proj"):
            linear = getattr(attention, name)
            setattr(attention, name, repeated(linear, attention.head_dim, attention.num_key_value_groups))
        attention.num_key_value_groups = 1
    config.num_key_value_heads = config.num_attention_heads


def repeated(linear: nn.Linear, size: int, times: int) -> nn.Linear:
    """The same layer with the outputs of each head `times` times."""

    def spread(tensor: Tensor) -> Tensor:
        heads = tensor.reshape(-1, size, *tensor.shape[1:])
        return heads.repeat_interleave(times, 0).flatten(0, 1)

    wide = nn.Linear(
        linear.in_features,
        linear.out_features * times,
        bias=linear.bias is not None,
        dtype=linear.weight.dtype,
        device="meta",
    ).to_empty(device=linear.weight.device)
    wide.load_state_dict({name: spread(tensor) for name, tensor in linear.state_dict().items()})
    return wide.train(linear.training)
