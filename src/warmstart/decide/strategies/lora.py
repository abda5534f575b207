"""LoRA: the weights rest, low-rank adapters beside them learn (Hu et al. 2021, arXiv 2106.09685)."""

from dataclasses import dataclass, replace
from typing import ClassVar

from warmstart.base.types import Facts, Phase, Reason
from warmstart.decide.strategies import _depth, _recipe, _why

PRIOR = _recipe.Prior(
    few=(0.3, 0.3),
    some=(0.65, 0.6),
    many=(0.7, 0.65),
    plenty=(0.75, 0.75),
    first="adapters learn as much as these rows can teach",
    otherwise="about as good as full tuning, but a model of this size needs no saving of memory",
)
LARGE = 300_000_000  # parameters from which gradients and moments of all weights cost too much memory
FASTER = 10  # times the rate of full tuning, as tinker's and TRL's recipes have it


@dataclass(frozen=True)
class Lora:
    """Adapters of `rank` beside every linear layer of the body, at ten times the rate of full tuning."""

    rank: int = 16
    alpha: int = 32

    pretrained: ClassVar[bool] = True
    cost: ClassVar[int] = 3

    def suits(self, facts: Facts) -> tuple[float, Reason]:
        suits, reason = PRIOR.ask(facts)
        if not facts.pretrained or facts.parameters <= LARGE:
            return suits, reason
        saw = f"{reason.saw}; {facts.parameters:,} parameters, large from {LARGE:,}"
        so = "adapters need a fraction of the memory that full tuning of such a model needs"
        return 0.95 if _recipe.size(facts) == "plenty" else suits, replace(reason, saw=saw, so=so)

    def edits(self, facts: Facts) -> _depth.Edits:
        adapters = {"name": "lora", "rank": self.rank, "alpha": self.alpha}
        return *_depth.edits_for_tuning(facts), adapters

    def phases(self, facts: Facts) -> tuple[Phase, ...]:
        every = replace(
            _recipe.fine_phase(facts, "*"), lr=float(f"{FASTER * _recipe.rate(facts):.2g}"), decay=1.0
        )
        return *_recipe.head_first(facts), every

    def why(self, facts: Facts) -> tuple[Reason, ...]:
        pace = f"{FASTER} times the rate of full tuning, the same for every group; steps as in full tuning"
        return _why.why(facts, self.edits(facts), self.phases(facts), pace)


STRATEGY = Lora
