"""Gradual unfreezing: the head, then shares of the body from the top (Howard and Ruder, arXiv 1801.06146)."""

from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from warmstart.base.types import Facts, Phase, Reason
from warmstart.decide.strategies import _depth, _recipe, _why

PRIOR = _recipe.Prior(
    few=(0.35, 0.45),
    some=(0.7, 0.78),
    many=(0.6, 0.65),
    plenty=(0.5, 0.5),
    first="layers join one share at a time",
    otherwise="gentler than full tuning, nearly as good on distant data with few rows, and slower to adapt",
)
SHARES = 4  # at most


@dataclass(frozen=True)
class Gradual:
    """The head, then the body in at most four equal shares from the top, in the epochs of full tuning."""

    pretrained: ClassVar[bool] = True
    cost: ClassVar[int] = 2

    def suits(self, facts: Facts) -> tuple[float, Reason]:
        return PRIOR.ask(facts)

    def edits(self, facts: Facts) -> _depth.Edits:
        return _depth.edits_for_tuning(facts)

    def phases(self, facts: Facts) -> tuple[Phase, ...]:
        body = _depth.depth(facts, self.edits(facts))
        total = _recipe.epochs(facts)
        count = min(SHARES, body, total)
        tops = [ceil(body * i / count) for i in range(1, count + 1)]
        lengths = [total * i // count - total * (i - 1) // count for i in range(1, count + 1)]
        words = [*(f"top:{top}" for top in tops[:-1]), "*"]
        steps = (_recipe.fine_phase(facts, w, length=n) for w, n in zip(words, lengths, strict=True))
        return *_recipe.head_first(facts), *steps

    def why(self, facts: Facts) -> tuple[Reason, ...]:
        pace = f"{_why.PACE}, then the body in equal shares from the top"
        return _why.why(facts, self.edits(facts), self.phases(facts), pace)


STRATEGY = Gradual
