"""Llama, Qwen, Mistral, Gemma, GPT-NeoX: embeddings, layers with rotated places, a norm, either head."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from warmstart.models.anatomies import _causal, _mean_layer
from warmstart.models.anatomies._image import no_place
from warmstart.models.anatomy import Group, State, base_of

APART = _mean_layer.Names("self_attn", "input_layernorm", "self_attn.o_proj", "mlp.down_proj")
MIXED = _mean_layer.Names("attention", "input_layernorm", "attention.dense", "mlp.dense_4h_to_h")


@dataclass(frozen=True)
class Decoder:
    model_types = ("llama", "qwen2", "qwen3", "mistral", "gemma", "gpt_neox")
    can_cut = True
    packs = True

    def groups(self, model: Any) -> list[Group]:
        body = base_of(model)
        table, dropout = body.get_input_embeddings(), getattr(body, "emb_dropout", None)

        def stem(state: State) -> State:
            words = table(state["input_ids"])
            return _causal.carried(words if dropout is None else dropout(words), state)

        modules = (table,) if dropout is None else (table, dropout)
        norm = last_norm(body)
        blocks = _causal.layers(model, body.layers, body.rotary_emb, windows(body, model.config), norm)
        first = Group("embeddings", modules, stem, read=_causal.normed_mean(norm))
        return [first, *blocks, *_causal.top(model, norm)]

    def keep_layers(self, model: Any, keep: int) -> None:
        body = base_of(model)
        body.layers = nn.ModuleList(body.layers[:keep])
        model.config.num_hidden_layers = keep
        if getattr(model.config, "layer_types", None):
            model.config.layer_types = model.config.layer_types[:keep]

    def can_pool(self, model: Any) -> bool:
        """Not where every layer has a window, as Mistral's: the last token would not see its row."""
        config, body = model.config, base_of(model)
        if config.model_type == "gpt_neox":
            return True
        far = bool(getattr(config, "layer_types", None)) or not getattr(config, "sliding_window", None)
        return far and _mean_layer.can_ungroup(body.layers[0].self_attn, config.hidden_size)

    def add_mean_layer(self, model: Any) -> None:
        if not self.can_pool(model):
            raise no_place(model.config)
        config, body = model.config, base_of(model)
        mixed = config.model_type == "gpt_neox"
        names = MIXED if mixed else APART
        if not mixed:
            _mean_layer.ungroup(body.layers, config)
        layer = _mean_layer.twin(body.layers[-1], config, len(body.layers), names)
        attention = layer.get_submodule(names.attention)
        if mixed:
            _mean_layer.even_mixed(attention.query_key_value, attention.dense, config.num_attention_heads)
        else:
            _mean_layer.even_apart(attention, config.hidden_size)
            look_far(layer, config)
        _mean_layer.take_over(layer.get_submodule(names.first_norm), last_norm(body))
        body.layers.append(layer)
        config.num_hidden_layers += 1


def last_norm(body: Any) -> Any:
    return body.final_layer_norm if hasattr(body, "final_layer_norm") else body.norm


def look_far(layer: Any, config: Any) -> None:
    """An added layer sees all tokens, also where those below it have a window."""
    if getattr(config, "layer_types", None):
        config.layer_types = [*config.layer_types, "full_attention"]
        layer.self_attn.sliding_window = None
        for owner in (layer, layer.self_attn):
            for name in ("attention_type", "layer_type"):
                if hasattr(owner, name):
                    setattr(owner, name, "full_attention")


def windows(body: Any, config: Any) -> list[int | None]:
    """How many tokens each layer looks back; None: all. Mistral says it once for all layers."""
    width = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None) or [
        "sliding_attention" if width else "full_attention"
    ] * len(body.layers)
    return [width if kind == "sliding_attention" else None for kind in kinds[: len(body.layers)]]


ANATOMY = Decoder
