"""GPT-2: embeddings of words and places, layers, a norm, scores of classes or of words."""

from dataclasses import dataclass
from typing import Any

from warmstart.models.anatomies import _causal
from warmstart.models.anatomies._image import CannotCut
from warmstart.models.anatomy import Group, State, base_of


@dataclass(frozen=True)
class Gpt2(CannotCut):
    model_types = ("gpt2",)
    packs = True

    def groups(self, model: Any) -> list[Group]:
        body = base_of(model)

        def stem(state: State) -> State:
            words = body.wte(state["input_ids"])
            return _causal.carried(body.drop(words + body.wpe(_causal.places(state, words))), state)

        blocks = _causal.layers(model, body.h, None, [None] * len(body.h))
        return [
            Group("embeddings", (body.wte, body.wpe, body.drop), stem),
            *blocks,
            *_causal.top(model, body.ln_f),
        ]


ANATOMY = Gpt2
