"""A budget of time for the whole run: what is left of it, and who goes without."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from warmstart.base.errors import WarmstartError
from warmstart.base.events import read_events
from warmstart.base.types import Facts, Finding, Plan
from warmstart.decide.choose import SAFETY
from warmstart.street.folder import Trip

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
RESERVED = 0.1  # of the budget, for answers, evidence and report


def seconds_of(budget: str) -> float:
    """Seconds of "90s", "10m" or "1.5h". Raises WarmstartError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", budget.strip())
    if found is None or float(found[1]) <= 0:
        raise WarmstartError(f"--budget {budget}", "write it as 90s, 10m or 1.5h", "wrong-value")
    return float(found[1]) * UNITS[found[2]]


def seconds_left(trip: Trip) -> float | None:
    """Of the budget, for tuning; None where there is no budget."""
    if not trip.options.budget:
        return None
    return max(0.0, (1 - RESERVED) * seconds_of(trip.options.budget) - elapsed(trip))


def elapsed(trip: Trip) -> float:
    """Seconds of work on this run folder: of each sitting up to its last event, of this one up to now."""
    total, began, last = 0.0, time.time(), time.time()
    for number, event in enumerate(read_events(trip.path("events.jsonl"))):
        if event["event"] == "sitting":
            total += last - began if number else 0.0
            began = event["time"]
        last = event["time"]
    return max(0.0, total + time.time() - began)


def affordable(
    plans: Mapping[str, Plan], facts: Facts, chosen: str, seeds: int
) -> tuple[dict[str, Plan], tuple[Finding, ...]]:
    """The plan and as many of its rivals as the budget bears, the cheapest first; and who is left out."""
    if facts.seconds_left is None:
        return dict(plans), ()

    def seconds(name: str) -> float:
        price = facts.prices.get(plans[name].strategy)
        return SAFETY * seeds * price.seconds if price else 0.0

    left, taken = facts.seconds_left - seconds(chosen), {chosen}
    for name in sorted((n for n in plans if n != chosen), key=seconds):
        if seconds(name) <= left:
            left -= seconds(name)
            taken.add(name)
    absent = [name for name in plans if name not in taken]
    findings = tuple(
        Finding(
            "budget",
            "warning",
            f"{name} would take {seconds(name):.0f} s, and {max(0.0, left):.0f} s are left of the budget",
            "it is not among the rivals; give more time with --budget",
            1,
        )
        for name in absent
    )
    return {name: plan for name, plan in plans.items() if name in taken}, findings
