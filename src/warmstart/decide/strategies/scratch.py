"""Scratch: the model's shape with fresh weights, everything learns; the rival that pretraining must beat."""

from dataclasses import dataclass
from typing import ClassVar

from warmstart.base.types import Facts, Phase, Reason
from warmstart.decide.strategies import _depth, _recipe, _why

ENOUGH = 50_000  # rows from which fresh weights can catch up (He et al. 2019, arXiv 1811.08883)
LONGER = 2  # times the steps of full tuning: fresh weights have further to go
MOST = 40  # epochs


@dataclass(frozen=True)
class Scratch:
    """Fresh weights under a cosine schedule, with at least twice the steps of full tuning."""

    pretrained: ClassVar[bool] = False
    cost: ClassVar[int] = 5

    def suits(self, facts: Facts) -> tuple[float, Reason]:
        if not facts.pretrained:
            return 1.0, Reason(
                "strategy: weights to keep", "no pretrained model", "train from scratch, the only way left"
            )
        useless, enough = facts.probe <= facts.floor, facts.rows >= ENOUGH
        rule = f"strategy: from scratch where features are no better than guessing and rows reach {ENOUGH:,}"
        saw = f"frozen probe {facts.probe:.3f}, floor {facts.floor:.3f}; {facts.rows:,} rows"
        if useless and enough:
            return 0.97, Reason(
                rule, saw, "the pretrained features say nothing here; the rows can teach new ones"
            )
        so = (
            "pretraining does not help yet, but the rows are too few"
            if useless
            else "pretraining gives a start"
        )
        return 0.3 if enough else 0.05, Reason(rule, saw, so)

    def edits(self, facts: Facts) -> _depth.Edits:
        return ({"name": "new_head"},)

    def phases(self, facts: Facts) -> tuple[Phase, ...]:
        length = min(LONGER * _recipe.epochs(facts), MOST)
        every = Phase(("*",), lr=rate(facts), epochs=length, schedule="cosine", weight_decay=0.05)
        return (every,)

    def why(self, facts: Facts) -> tuple[Reason, ...]:
        pace = f"a generous budget, {LONGER} times the steps of full tuning, for fresh weights have far to go"
        return _why.why(facts, self.edits(facts), self.phases(facts), pace)


def rate(facts: Facts) -> float:
    """1e-3 for pictures; for text higher for smaller models, within 1e-4 and 1e-3.

    At 5e-4 a transformer of 22 million parameters never left the loss of guessing on 1,000 texts; at 2e-4 it
    answers two thirds of them (EXPERIMENTS.md).
    """
    if facts.modality == "image":
        return 1e-3
    return _recipe.clipped(2e-4 * (22e6 / max(1, facts.parameters)) ** 0.3, 1e-4, 1e-3)


STRATEGY = Scratch
