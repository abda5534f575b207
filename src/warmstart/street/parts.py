"""Can the parts of a plan be built, with the settings it gives them? Asked before anything is trained."""

from __future__ import annotations

from warmstart.adapt.edits import EDITS
from warmstart.base.types import Plan
from warmstart.tune.guards import GUARDS
from warmstart.tune.modes import MODES


def check_parts(plan: Plan) -> None:
    """Raises WarmstartError for a mode, guard or edit that does not exist or cannot take its settings."""
    MODES.get(plan.mode)()
    for table in plan.guards:
        GUARDS.build(table)
    for table in plan.edits:
        EDITS.build(table)
