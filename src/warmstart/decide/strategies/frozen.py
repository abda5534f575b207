"""Frozen: the pretrained body is a fixed feature extractor, only a new head learns."""

from dataclasses import dataclass
from typing import ClassVar

from warmstart.base.types import Facts, Phase, Reason
from warmstart.decide.strategies import _depth, _recipe, _why

PRIOR = _recipe.Prior(
    few=(0.9, 0.6),
    some=(0.6, 0.4),
    many=(0.4, 0.25),
    plenty=(0.3, 0.15),
    first="the features fit as they are, and so few rows could only spoil them",
    otherwise="cheapest, but features that may not move leave accuracy behind here",
)


@dataclass(frozen=True)
class Frozen:
    """A linear head on features that stay as they are, read at the depth where they are best."""

    pretrained: ClassVar[bool] = True
    cost: ClassVar[int] = 0

    def suits(self, facts: Facts) -> tuple[float, Reason]:
        return PRIOR.ask(facts)

    def edits(self, facts: Facts) -> _depth.Edits:
        return _depth.edits_for_frozen(facts)

    def phases(self, facts: Facts) -> tuple[Phase, ...]:
        return (_recipe.frozen_head(facts),)

    def why(self, facts: Facts) -> tuple[Reason, ...]:
        pace = "a head alone learns on features computed once, so that steps cost little"
        return _why.why(facts, self.edits(facts), self.phases(facts), pace)


STRATEGY = Frozen
