"""Was plan.yaml edited after the run was finished? Then what lies in the folder is of another plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from warmstart.base.errors import WarmstartError
from warmstart.decide.plan_file import read_plan
from warmstart.report.read import read_result


def stale(folder: Path) -> str:
    """A sentence that says so, or nothing."""
    try:
        followed = read_result(folder / "result.json").plan
        same = replace(followed, reasons=()) == read_plan(folder / "plan.yaml")
    except WarmstartError:  # there is none, or it cannot be read: not for this to say
        return ""
    go_on = f"warmstart run {folder}"
    return "" if same else f"plan.yaml was edited since this run ended; this is of the plan before: {go_on}"
