"""Full fine-tuning: the head first on frozen features, then every layer, slower towards the input (LP-FT)."""

from dataclasses import dataclass
from typing import ClassVar

from warmstart.base.types import Facts, Phase, Reason
from warmstart.decide.strategies import _depth, _recipe, _why

PRIOR = _recipe.Prior(
    few=(0.4, 0.5),
    some=(0.82, 0.82),
    many=(0.87, 0.87),
    plenty=(0.9, 0.9),
    first="rows enough to move every layer; the head goes first, so that it does not distort the features",
    otherwise="so few rows would spoil more features than they improve",
)


@dataclass(frozen=True)
class Full:
    """Head first, then everything, rates falling towards the input (Kumar et al. 2022, arXiv 2202.10054)."""

    pretrained: ClassVar[bool] = True
    cost: ClassVar[int] = 4

    def suits(self, facts: Facts) -> tuple[float, Reason]:
        return PRIOR.ask(facts)

    def edits(self, facts: Facts) -> _depth.Edits:
        return _depth.edits_for_tuning(facts)

    def phases(self, facts: Facts) -> tuple[Phase, ...]:
        return *_recipe.head_first(facts), _recipe.fine_phase(facts, "*")

    def why(self, facts: Facts) -> tuple[Reason, ...]:
        return _why.why(facts, self.edits(facts), self.phases(facts), _why.PACE)


STRATEGY = Full
