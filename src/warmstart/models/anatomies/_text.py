"""What the encoders of the BERT family share: tokens, masks, and a layer that averages over tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.masking_utils import create_bidirectional_mask

from warmstart.models.anatomy import Group, State
from warmstart.models.row_attention import attention
from warmstart.models.rows import LAYOUT, layout_of

INPUTS = ("input_ids", "token_type_ids", "position_ids")
SHARP = 30.0  # how far the mean outweighs the residual of the first token in an added layer
GENTLE = 0.2  # scale at which tanh is nearly linear for normed features


def embed(body: Any) -> Callable[[State], State]:
    """From token ids to embeddings, projected to the width of the layers where the model does so."""

    def run(state: State) -> State:
        given = {k: state[k] for k in INPUTS if k in state}
        layout = layout_of(state)
        if layout is not None:
            given["position_ids"] = layout.positions[None] + first_position(body.embeddings)
        hidden = body.embeddings(**given)
        if hasattr(body, "embeddings_project"):
            hidden = body.embeddings_project(hidden)
        return kept_apart(hidden, state)

    return run


def first_position(embeddings: Any) -> int:
    """The number of a text's first place: RoBERTa and its like begin behind that of padding."""
    table = embeddings.position_embeddings
    return 0 if table.padding_idx is None else int(table.padding_idx) + 1


def kept_apart(hidden: Tensor, state: State) -> State:
    """`hidden` with what tells its rows, or real tokens from padding."""
    name = LAYOUT if LAYOUT in state else "attention_mask"
    return {"hidden": hidden, name: state[name]}


def attend(layer: nn.Module, config: Any) -> Callable[[State], State]:
    """One transformer layer; the expanded mask is made once per batch and travels on as "_mask"."""

    def run(state: State) -> State:
        state = with_mask(state, config)
        out = layer(state["hidden"], state.get("_mask"))
        return {**state, "hidden": out[0] if isinstance(out, tuple) else out}

    return run


def attend_first(layer: Any) -> Callable[[State], State]:
    """A layer of BERT of which only the first token of each row comes out: all that a pooler reads.

    Keys and values come from all tokens; queries and everything behind the attention from the first ones.
    """
    inner = layer.attention.self

    def run(state: State) -> State:
        layout, hidden_TD = layout_of(state), state["hidden"][0]
        assert layout is not None
        first_BD = hidden_TD.index_select(0, layout.starts)
        q, k, v = (
            linear(x).unflatten(-1, (-1, inner.attention_head_size))
            for linear, x in ((inner.query, first_BD), (inner.key, hidden_TD), (inner.value, hidden_TD))
        )
        rate = inner.dropout.p if inner.training else 0.0
        out = attention(q, k, v, layout, inner.scaling, rate).flatten(1)
        attended = layer.attention.output(out, first_BD)
        return {"hidden": layer.output(layer.intermediate(attended), attended)[:, None]}

    return run


def with_mask(state: State, config: Any) -> State:
    if "_mask" in state or "_open" in state or LAYOUT in state:
        return state
    mask = create_bidirectional_mask(
        config=config, inputs_embeds=state["hidden"], attention_mask=state["attention_mask"]
    )
    return {**state, "_open": state["attention_mask"]} if mask is None else {**state, "_mask": mask}


def first_token(state: State) -> Tensor:
    """B x D: the first token of each row."""
    layout = layout_of(state)
    if layout is not None:
        return state["hidden"][0].index_select(0, layout.starts)
    return state["hidden"][:, 0]


def head(dropout: nn.Module, linear: nn.Module) -> Group:
    """Dropout and a linear layer over the pooled features."""
    return Group("head", (dropout, linear), lambda s: {"logits": linear(dropout(s["pooled"]))}, exact=True)


def pooler(modules: tuple[nn.Module, ...], run: Callable[[State], State]) -> Group:
    """What stands between the layers and the head."""
    return Group("pooler", modules, run, exact=True)


@dataclass(frozen=True)
class LayerNames:
    """Paths of the parts of one transformer layer."""

    query: str
    key: str
    value: str
    out: str
    first_norm: str
    second_norm: str
    feed_in: str
    feed_out: str


BERT_NAMES = LayerNames(
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "output.LayerNorm",
    "intermediate.dense",
    "output.dense",
)


@torch.no_grad()
def make_mean_layer(layer: nn.Module, names: LayerNames) -> None:
    """Set a transformer layer so that its first token comes out as the (normed) mean of all tokens.

    Query and key are zero, so attention is even over real tokens; value is the identity, the output
    projection SHARP times it, so that the residual of the first token hardly counts beside the mean; the
    feed-forward part adds nothing. Norms are plain.
    """
    parts: dict[str, Any] = {k: layer.get_submodule(path) for k, path in vars(names).items()}
    for name in ("query", "key", "feed_out"):
        parts[name].weight.zero_()
    for name, scale in (("value", 1.0), ("out", SHARP)):
        parts[name].weight.copy_(scale * torch.eye(len(parts[name].weight)))
    for name in ("query", "key", "value", "out", "feed_in", "feed_out"):
        if parts[name].bias is not None:
            parts[name].bias.zero_()
    for name in ("first_norm", "second_norm"):
        parts[name].weight.fill_(1.0)
        parts[name].bias.zero_()


@torch.no_grad()
def make_pass_through(dense: nn.Linear, scale: float, shift: float) -> None:
    """Set the dense layer of a pooler so that its activation works where it is nearly linear."""
    dense.weight.copy_(scale * torch.eye(len(dense.weight)))
    dense.bias.fill_(shift)


PASS_THROUGH = {"tanh": (GENTLE, 0.0), "relu": (1.0, 4.0), "gelu": (1.0, 4.0)}
