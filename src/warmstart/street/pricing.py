"""What plans will take here, before any of it is paid: a few timed steps stand for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from warmstart.adapt.apply import apply
from warmstart.base.types import Bundle, Cost, Facts, Pace, Plan
from warmstart.decide.cost import boundary, price
from warmstart.decide.strategies._depth import depth
from warmstart.street import training
from warmstart.street.folder import Trip
from warmstart.street.stops import task_of
from warmstart.street.training import Ready
from warmstart.tune import pace


@dataclass(frozen=True)
class Paces:
    """How fast a network goes here, and as its products are counted."""

    timed: Pace
    counted: Pace


def paces(
    trip: Trip, plans: Mapping[str, Plan], facts: Facts, bundle: Bundle, ready: Ready, like: Plan
) -> Paces:
    """Of the network of `like`, from every group at which a phase of the plans begins."""
    task, split = task_of(bundle), ready.splits["train"]
    adapted = apply(training.load_for(trip, like, task.modality), like.edits, bundle.labels, like.seed)
    anatomy = adapted.pretrained.anatomy
    anatomy.precision = training.precision_of(like, ready)
    begun = {boundary(p, depth(facts, plan.edits)) for plan in plans.values() for p in plan.phases}
    starts = {0, *(start for start in begun if start < len(anatomy.groups))}
    counted = pace.counted(anatomy, split, starts)
    return Paces(pace.measure(anatomy, task, split, starts, like.batch, like.seed), counted)


def prices(plans: Mapping[str, Plan], facts: Facts, known: Pace, bundle: Bundle) -> dict[str, Cost]:
    """By name what each plan takes if it goes to its last epoch."""
    return {name: price(plan, facts, known, len(bundle.validation)) for name, plan in plans.items()}
