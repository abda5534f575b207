"""ModernBERT: layers that look at all tokens or at near ones, rotated places, a pooler, a linear head."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from transformers.masking_utils import create_bidirectional_mask, create_bidirectional_sliding_window_mask

from warmstart.models.anatomies import _text
from warmstart.models.anatomies._causal import places
from warmstart.models.anatomies._image import CannotCut
from warmstart.models.anatomy import Group, State, pooled
from warmstart.models.rows import LAYOUT, layout_of

MASKS = {
    "full_attention": create_bidirectional_mask,
    "sliding_attention": create_bidirectional_sliding_window_mask,
}


@dataclass(frozen=True)
class ModernBert(CannotCut):
    model_types = ("modernbert",)
    packs = True

    def groups(self, model: Any) -> list[Group]:
        body = model.model

        def stem(state: State) -> State:
            return _text.kept_apart(body.embeddings(input_ids=state["input_ids"]), state)

        layers = [
            Group(f"layer.{i}", (layer,), step(layer, body.rotary_emb, model.config))
            for i, layer in enumerate(body.layers)
        ]
        pool = _text.pooler((body.final_norm, model.head), pooling(model, body))
        return [
            Group("embeddings", (body.embeddings,), stem),
            *layers,
            pool,
            _text.head(model.drop, model.classifier),
        ]


def step(layer: Any, rotary: Any, config: Any) -> Callable[[State], State]:
    """One layer; masks and rotations of either kind are made once a batch and travel on."""
    kind = layer.attention_type

    def run(state: State) -> State:
        state = with_mask(with_rotation(state, rotary, kind), config, kind)
        rotations = state[f"_cos {kind}"], state[f"_sin {kind}"]
        mask = state.get(f"_mask {kind}")
        return {**state, "hidden": layer(state["hidden"], attention_mask=mask, position_embeddings=rotations)}

    return run


def with_rotation(state: State, rotary: Any, kind: str) -> State:
    if f"_cos {kind}" in state:
        return state
    cos, sin = rotary(state["hidden"], places(state, state["hidden"]), kind)
    return {**state, f"_cos {kind}": cos, f"_sin {kind}": sin}


def with_mask(state: State, config: Any, kind: str) -> State:
    """The mask of padded rows as the model itself makes it; rows laid end to end need none."""
    if LAYOUT in state or f"_mask {kind}" in state or f"_open {kind}" in state:
        return state
    mask = MASKS[kind](config=config, inputs_embeds=state["hidden"], attention_mask=state["attention_mask"])
    if mask is None:
        return {**state, f"_open {kind}": state["attention_mask"]}
    return {**state, f"_mask {kind}": mask}


def pooling(model: Any, body: Any) -> Callable[[State], State]:
    """The first token or the mean over tokens, as the configuration says, through norm and dense layer."""

    def run(state: State) -> State:
        state = {**state, "hidden": body.final_norm(state["hidden"])}
        first = model.config.classifier_pooling == "cls"
        return {"pooled": model.head(_text.first_token(state) if first else mean(state))}

    return run


def mean(state: State) -> Tensor:
    if layout_of(state) is not None:
        return pooled(state)
    mask = state["attention_mask"]
    total: Tensor = (state["hidden"] * mask.unsqueeze(-1)).sum(dim=1)
    return total / mask.sum(dim=1, keepdim=True)


ANATOMY = ModernBert
