"""Adapters folded into the weights answer as they did beside them."""

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from warmstart.base.types import Proof
from warmstart.street.proofs._tick import CLOSE, Scene, Tick, absent, answers, apart, compared, first_rows


@dataclass
class MergedIsTheSame(Tick):
    """Scores of a few validation rows, before and after the merge."""

    order: ClassVar[int] = 60
    claim: ClassVar[str] = "Merged adapters answer as unmerged ones"
    do: ClassVar[str] = "the merge is off: take another strategy than lora, and report it"
    beside: Tensor | None = field(default=None, init=False, repr=False)

    def learned(self, scene: Scene) -> Proof | None:
        if not hasattr(scene.model.module, "peft_config"):
            return absent("there are no adapters")
        inputs = scene.ready.splits["validation"].inputs
        self.beside = answers(scene.model.anatomy, inputs, first_rows(inputs))
        return None

    def shipped(self, scene: Scene) -> Proof:
        assert self.beside is not None
        inputs = scene.ready.splits["validation"].inputs
        merged = answers(scene.model.anatomy, inputs, first_rows(inputs))
        what = f"scores of {len(merged)} validation rows before the merge, and after"
        return compared(what, apart(merged, self.beside), CLOSE)


PROOF = MergedIsTheSame
