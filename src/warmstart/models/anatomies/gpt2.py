"""GPT-2: embeddings of words and places, layers, a norm, scores of classes or of words."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from warmstart.models.anatomies import _causal, _mean_layer
from warmstart.models.anatomy import Group, State, base_of

NAMES = _mean_layer.Names("attn", "ln_1", "attn.c_proj", "mlp.c_proj")


@dataclass(frozen=True)
class Gpt2:
    model_types = ("gpt2",)
    can_cut = True
    packs = True

    def groups(self, model: Any) -> list[Group]:
        body = base_of(model)

        def stem(state: State) -> State:
            words = body.wte(state["input_ids"])
            return _causal.carried(body.drop(words + body.wpe(_causal.places(state, words))), state)

        blocks = _causal.layers(model, body.h, None, [None] * len(body.h), body.ln_f)
        return [
            Group("embeddings", (body.wte, body.wpe, body.drop), stem, read=_causal.normed_mean(body.ln_f)),
            *blocks,
            *_causal.top(model, body.ln_f),
        ]

    def keep_layers(self, model: Any, keep: int) -> None:
        body = base_of(model)
        body.h = nn.ModuleList(body.h[:keep])
        model.config.n_layer = keep

    def can_pool(self, model: Any) -> bool:
        return True

    def add_mean_layer(self, model: Any) -> None:
        body = base_of(model)
        layer = _mean_layer.twin(body.h[-1], model.config, len(body.h), NAMES)
        _mean_layer.even_in_a_row(layer.attn.c_attn, layer.attn.c_proj)
        _mean_layer.take_over(layer.ln_1, body.ln_f)
        body.h.append(layer)
        model.config.n_layer += 1


ANATOMY = Gpt2
