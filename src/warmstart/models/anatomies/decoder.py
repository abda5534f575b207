"""Llama, Qwen, Mistral, Gemma, GPT-NeoX: embeddings, layers with rotated places, a norm, either head."""

from dataclasses import dataclass
from typing import Any

from warmstart.models.anatomies import _causal
from warmstart.models.anatomies._image import CannotCut
from warmstart.models.anatomy import Group, State, base_of


@dataclass(frozen=True)
class Decoder(CannotCut):
    model_types = ("llama", "qwen2", "qwen3", "mistral", "gemma", "gpt_neox")
    packs = True

    def groups(self, model: Any) -> list[Group]:
        body = base_of(model)
        table, dropout = body.get_input_embeddings(), getattr(body, "emb_dropout", None)

        def stem(state: State) -> State:
            words = table(state["input_ids"])
            return _causal.carried(words if dropout is None else dropout(words), state)

        modules = (table,) if dropout is None else (table, dropout)
        norm = body.final_layer_norm if hasattr(body, "final_layer_norm") else body.norm
        blocks = _causal.layers(model, body.layers, body.rotary_emb, windows(body, model.config))
        return [Group("embeddings", modules, stem), *blocks, *_causal.top(model, norm)]


def windows(body: Any, config: Any) -> list[int | None]:
    """How many tokens each layer looks back; None: all. Mistral says it once for all layers."""
    width = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None) or [
        "sliding_attention" if width else "full_attention"
    ] * len(body.layers)
    return [width if kind == "sliding_attention" else None for kind in kinds[: len(body.layers)]]


ANATOMY = Decoder
