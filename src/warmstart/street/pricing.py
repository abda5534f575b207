"""What plans will take here, before any of it is paid: a few timed steps stand for all of them."""

from __future__ import annotations

from collections.abc import Mapping

from warmstart.adapt.apply import apply
from warmstart.base.types import Bundle, Cost, Facts, Pace, Plan
from warmstart.decide.cost import boundary, price
from warmstart.decide.strategies._depth import depth
from warmstart.street import training
from warmstart.street.folder import Trip
from warmstart.street.stops import task_of
from warmstart.street.training import Ready
from warmstart.tune import pace


def prices(
    trip: Trip, plans: Mapping[str, Plan], facts: Facts, bundle: Bundle, ready: Ready, like: Plan
) -> dict[str, Cost]:
    """By name what each plan takes if it goes to its last epoch; timed with the network of `like`."""
    known = measured(trip, plans, facts, bundle, ready, like)
    return {name: price(plan, facts, known, len(bundle.validation)) for name, plan in plans.items()}


def measured(
    trip: Trip, plans: Mapping[str, Plan], facts: Facts, bundle: Bundle, ready: Ready, like: Plan
) -> Pace:
    """How fast the network of `like` goes from every group at which a phase of the plans begins."""
    task = task_of(bundle)
    adapted = apply(training.load_for(trip, like, task.modality), like.edits, bundle.labels, like.seed)
    anatomy = adapted.pretrained.anatomy
    anatomy.precision = training.precision_of(like, ready)
    begun = {boundary(p, depth(facts, plan.edits)) for plan in plans.values() for p in plan.phases}
    starts = {0, *(start for start in begun if start < len(anatomy.groups))}
    return pace.measure(anatomy, task, ready.splits["train"], starts, like.batch, like.seed)
