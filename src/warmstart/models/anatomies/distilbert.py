"""DistilBERT: embeddings, layers, a linear layer with ReLU over the first token, a linear head."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from warmstart.models.anatomies import _text
from warmstart.models.anatomy import Group, State, another
from warmstart.models.rows import layout_of

NAMES = _text.LayerNames(
    "attention.q_lin",
    "attention.k_lin",
    "attention.v_lin",
    "attention.out_lin",
    "sa_layer_norm",
    "output_layer_norm",
    "ffn.lin1",
    "ffn.lin2",
)


@dataclass(frozen=True)
class DistilBert:
    model_types = ("distilbert",)
    can_cut = True
    packs = True

    def groups(self, model: Any) -> list[Group]:
        body, dense = model.distilbert, model.pre_classifier

        def stem(state: State) -> State:
            layout = layout_of(state)
            given = {} if layout is None else {"position_ids": layout.positions[None]}
            return _text.kept_apart(body.embeddings(state["input_ids"], **given), state)

        def pool(state: State) -> State:
            return {"pooled": dense(_text.first_token(state)).relu()}

        layers = [
            Group(f"layer.{i}", (layer,), _text.attend(layer, model.config))
            for i, layer in enumerate(body.transformer.layer)
        ]
        top = [_text.pooler((dense,), pool), _text.head(model.dropout, model.classifier)]
        return [Group("embeddings", (body.embeddings,), stem), *layers, *top]

    def keep_layers(self, model: Any, keep: int) -> None:
        inner = model.distilbert.transformer
        inner.layer = nn.ModuleList(inner.layer[:keep])
        model.config.n_layers = keep

    def can_pool(self, model: Any) -> bool:
        return True

    def add_mean_layer(self, model: Any) -> None:
        layers = model.distilbert.transformer.layer
        layer = another(layers[-1], model.config)
        _text.make_mean_layer(layer, NAMES)
        layers.append(layer)
        model.config.n_layers += 1
        _text.make_pass_through(model.pre_classifier, *_text.PASS_THROUGH["relu"])


ANATOMY = DistilBert
