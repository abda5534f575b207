"""BERT, RoBERTa, ELECTRA and their like: embeddings, layers, a pooler over the first token, a linear head."""

from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from warmstart.models.anatomies import _text
from warmstart.models.anatomy import Group, State, another, base_of, drop


@dataclass(frozen=True)
class Bert:
    model_types = ("bert", "roberta", "electra", "xlm-roberta", "camembert")
    can_cut = True
    packs = True

    def groups(self, model: Any) -> list[Group]:
        body = base_of(model)
        stem = tuple(m for m in (body.embeddings, getattr(body, "embeddings_project", None)) if m is not None)
        layers = [
            Group(f"layer.{i}", (layer,), _text.attend(layer, model.config))
            for i, layer in enumerate(body.encoder.layer)
        ]
        layers[-1] = replace(layers[-1], brief=_text.attend_first(body.encoder.layer[-1]))
        return [Group("embeddings", stem, _text.embed(body)), *layers, *top(model, body)]

    def keep_layers(self, model: Any, keep: int) -> None:
        layers = base_of(model).encoder.layer
        base_of(model).encoder.layer = nn.ModuleList(layers[:keep])
        model.config.num_hidden_layers = keep

    def can_pool(self, model: Any) -> bool:
        return True

    def add_mean_layer(self, model: Any) -> None:
        body = base_of(model)
        layer = another(body.encoder.layer[-1], model.config)
        _text.make_mean_layer(layer, _text.BERT_NAMES)
        body.encoder.layer.append(layer)
        model.config.num_hidden_layers += 1
        activation = "gelu" if model.config.model_type == "electra" else "tanh"
        _text.make_pass_through(pooler_dense(model, body), *_text.PASS_THROUGH[activation])


def top(model: Any, body: Any) -> list[Group]:
    """Pooler and head: BERT keeps them apart, RoBERTa and ELECTRA hold both in `classifier`."""
    if getattr(body, "pooler", None) is not None:
        pool = _text.pooler((body.pooler,), lambda s: {"pooled": body.pooler(_text.first_token(s)[:, None])})
        return [pool, _text.head(model.dropout, model.classifier)]
    whole = model.classifier

    def run(state: State) -> State:
        x = whole.dense(drop(_text.first_token(state), whole.dropout.p, like=whole.dense))
        return {"pooled": activate(whole, x)}

    return [_text.pooler((whole.dense,), run), _text.head(whole.dropout, whole.out_proj)]


def activate(head: Any, x: Any) -> Any:
    """ELECTRA's head has its activation as a module; RoBERTa's is tanh."""
    return head.activation(x) if hasattr(head, "activation") else x.tanh()


def pooler_dense(model: Any, body: Any) -> nn.Linear:
    pooler = getattr(body, "pooler", None)
    return (pooler if pooler is not None else model.classifier).dense  # type: ignore[no-any-return]


ANATOMY = Bert
