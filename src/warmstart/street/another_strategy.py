"""A strategy changed in plan.yaml: its phases and edits must follow, or only the name would change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Plan
from warmstart.decide.strategies import STRATEGIES

MADE = ("strategy", "phases", "edits", "pretrained")  # by the strategy


def another_strategy(written: Plan, decided: Plan, made: Plan, path: Path) -> Plan:
    """The plan to follow: as `made` for the strategy that is written, with what else was changed by hand.

    A plan that has the shape of its strategy is followed as it is. Raises WarmstartError where neither the
    decided plan nor the strategy's own is recognised in what is written.
    """
    if shape(written) == shape(made):
        return written
    if any(getattr(written, name) != getattr(decided, name) for name in MADE[1:]):
        raise WarmstartError(
            f"{path}: strategy is {written.strategy!r}, but phases, edits or pretrained are neither its own "
            f"nor those of {decided.strategy!r}",
            f"change the strategy alone, and the rest follows; or write strategy: {decided.strategy} back; "
            f"or start anew with --strategy {written.strategy}",
            "mixed-strategy",
        )
    by_hand = {
        name: value
        for name, value in vars(written).items()
        if name not in (*MADE, "reasons") and value != getattr(decided, name)
    }
    return replace(made, reasons=(), **by_hand)


def shape(plan: Plan) -> tuple[Any, ...]:
    """What makes a plan one of its strategy; rates and lengths may be changed by hand."""
    return plan.edits, plan.pretrained, tuple((phase.learn, phase.solver) for phase in plan.phases)


def check_kind(plan: Plan, where: str) -> None:
    """Refuse fresh weights under the name of a strategy that starts from pretrained ones, and the reverse."""
    meant = STRATEGIES.get(plan.strategy).pretrained
    if plan.pretrained != meant:
        raise WarmstartError(
            f"{where}: strategy {plan.strategy} with pretrained: {str(plan.pretrained).lower()}",
            f"leave pretrained: {str(meant).lower()}; fresh weights learn with the strategy scratch, "
            "pretrained ones with any other",
            "mixed-strategy",
        )
