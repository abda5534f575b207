"""What the source of a plan knew, for guards that remember it."""

from __future__ import annotations

from collections.abc import Callable

from warmstart.base.types import Plan
from warmstart.models.load import Pretrained
from warmstart.tune.guards import GUARDS
from warmstart.tune.retained import Retained


def retained(plan: Plan, load: Callable[[], Pretrained]) -> Retained | None:
    """The plan's source as it came, from `load`, where a guard asks for it and it has a trained head."""
    if not any(GUARDS.get(guard["name"]).remembers for guard in plan.guards):
        return None
    source = load()
    return Retained(source.anatomy) if source.labels else None
