"""Partial fine-tuning: the head first, then the top layers; those near the input stay as they are."""

from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Facts, Phase, Reason
from warmstart.decide.strategies import _depth, _recipe, _why

PRIOR = _recipe.Prior(
    few=(0.6, 0.8),
    some=(0.55, 0.5),
    many=(0.5, 0.45),
    plenty=(0.4, 0.35),
    first="the features must move to fit, but so few rows can only teach the last layers",
    otherwise="cheaper than full tuning, and less able to adapt",
)


@dataclass(frozen=True)
class Partial:
    """The head, then with it the `top` groups of the body."""

    top: int = 0  # groups of the body that learn; 0 is a third of them

    pretrained: ClassVar[bool] = True
    cost: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.top < 0:
            raise WarmstartError(
                f"strategy 'partial': top = {self.top}", "write a number of groups, or 0 for a third of them"
            )

    def suits(self, facts: Facts) -> tuple[float, Reason]:
        return PRIOR.ask(facts)

    def edits(self, facts: Facts) -> _depth.Edits:
        return _depth.edits_for_tuning(facts)

    def phases(self, facts: Facts) -> tuple[Phase, ...]:
        top = self.top or ceil(_depth.depth(facts, self.edits(facts)) / 3)
        return *_recipe.head_first(facts), _recipe.fine_phase(facts, f"top:{top}")

    def why(self, facts: Facts) -> tuple[Reason, ...]:
        return _why.why(facts, self.edits(facts), self.phases(facts), _why.PACE)


STRATEGY = Partial
