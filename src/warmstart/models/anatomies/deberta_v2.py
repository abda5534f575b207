"""DeBERTa v2 and v3: layers that share one table of relative positions, which belongs to the embeddings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from warmstart.models.anatomies import _text
from warmstart.models.anatomy import Group, State, another

NAMES = _text.LayerNames(
    "attention.self.query_proj",
    "attention.self.key_proj",
    "attention.self.value_proj",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "output.LayerNorm",
    "intermediate.dense",
    "output.dense",
)


@dataclass(frozen=True)
class DebertaV2:
    model_types = ("deberta-v2",)
    can_cut = True

    def groups(self, model: Any) -> list[Group]:
        body = model.deberta
        encoder = body.encoder
        shared = [
            m for m in (getattr(encoder, n, None) for n in ("rel_embeddings", "LayerNorm")) if m is not None
        ]
        stem = Group("embeddings", (body.embeddings, *shared), embed(body))
        layers = [layer_group(encoder, i, layer) for i, layer in enumerate(encoder.layer)]
        pool = _text.pooler((model.pooler,), lambda s: {"pooled": model.pooler(s["hidden"])})
        return [stem, *layers, pool, _text.head(model.dropout, model.classifier)]

    def keep_layers(self, model: Any, keep: int) -> None:
        model.deberta.encoder.layer = nn.ModuleList(model.deberta.encoder.layer[:keep])
        model.config.num_hidden_layers = keep

    def can_pool(self, model: Any) -> bool:
        return True

    def add_mean_layer(self, model: Any) -> None:
        layer = another(model.deberta.encoder.layer[-1], model.config)
        _text.make_mean_layer(layer, NAMES)
        for name in ("pos_key_proj", "pos_query_proj"):
            silence(getattr(layer.attention.self, name, None))
        model.deberta.encoder.layer.append(layer)
        model.config.num_hidden_layers += 1
        activation = model.config.pooler_hidden_act
        _text.make_pass_through(model.pooler.dense, *_text.PASS_THROUGH[activation])


def embed(body: Any) -> Callable[[State], State]:
    def run(state: State) -> State:
        mask = state["attention_mask"]
        given = {k: state[k] for k in _text.INPUTS if k in state}
        return {"hidden": body.embeddings(**given, mask=mask), "attention_mask": mask}

    return run


def layer_group(encoder: Any, number: int, layer: nn.Module) -> Group:
    """One layer; the first is followed by a convolution over the embeddings where the model has one."""
    conv = encoder.conv if number == 0 else None

    def run(state: State) -> State:
        state = with_relations(state, encoder)
        hidden = state["hidden"]
        out, _ = layer(
            hidden, state["_mask"], relative_pos=state.get("_places"), rel_embeddings=state.get("_table")
        )
        return {**state, "hidden": out if conv is None else conv(hidden, out, state["attention_mask"])}

    return Group(f"layer.{number}", (layer,) if conv is None else (layer, conv), run)


def with_relations(state: State, encoder: Any) -> State:
    """What all layers share: the expanded mask, relative positions and their table, made once per batch."""
    if "_mask" in state:
        return state
    made = {
        "_mask": encoder.get_attention_mask(state["attention_mask"]),
        "_places": encoder.get_rel_pos(state["hidden"]),
        "_table": encoder.get_rel_embedding(),
    }
    return {**state, **{k: v for k, v in made.items() if v is not None}}


def silence(projection: Any) -> None:
    if projection is not None:
        nn.init.zeros_(projection.weight)
        if projection.bias is not None:
            nn.init.zeros_(projection.bias)


ANATOMY = DebertaV2
