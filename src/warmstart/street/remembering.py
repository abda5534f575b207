"""What the source knew, in the whole street: measured for every run, and bounded where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from warmstart.base.errors import WarmstartError
from warmstart.base.forgetting import Bounded, Forgetting
from warmstart.base.types import Bundle, Evidence, Plan, Run
from warmstart.evaluate.arms import best_seed
from warmstart.evaluate.roles import fine_tuned, head_alone, without_network
from warmstart.evaluate.weigh import weigh
from warmstart.street import bounding, training
from warmstart.street.folder import Trip
from warmstart.street.forgetting import NO_HEAD, measured
from warmstart.street.retention import remembered
from warmstart.street.stops import task_of
from warmstart.street.training import Ready
from warmstart.tune.guards import GUARDS
from warmstart.tune.retained import Retained


@dataclass(frozen=True)
class Kept:
    """The arms with a bounded one where there is one, which is then the planned one, and who is barred."""

    arms: dict[str, tuple[Run, ...]]
    planned: str
    barred: frozenset[str] = frozenset()
    forgetting: Forgetting | None = None


def kept(trip: Trip, plan: Plan, arms: Mapping[str, Sequence[Run]], bundle: Bundle, ready: Ready) -> Kept:
    """Measure what was forgotten, within a limit where one was asked for."""
    own = {name: tuple(arm) for name, arm in arms.items()}
    if not plan.pretrained:
        refuse_bound(trip, f"the plan, {plan.strategy}, starts from fresh weights, which knew nothing")
        return Kept(own, plan.strategy)
    task = task_of(bundle)
    source = training.load_for(trip, plan, task.modality)
    memory = remembered(trip, source, task, ready)
    if memory is None:
        refuse_bound(trip, NO_HEAD)
    bounded: Bounded | None = None
    if trip.options.max_forgetting and memory is not None:
        run, bounded = bounding.bounded(trip, plan, own, bundle, ready, source, memory)
        own[bounding.NAME] = (run,)
    found = measured(trip, plan, own, bundle, ready, source, memory)
    if bounded is None:
        return Kept(own, plan.strategy, forgetting=found)
    barred = frozenset(name for name, arm in own.items() if name != bounding.NAME and forgets(best_seed(arm)))
    return Kept(own, bounding.NAME, barred, replace(found, bounded=bounded))


def weighed(kept: Kept, plan: Plan, bundle: Bundle) -> Evidence:
    """All arms beside each other; those that may forget more than was asked for are not recommended."""
    primary, taught = task_of(bundle).primary, len(bundle.train)
    return weigh(kept.planned, kept.arms, bundle.labels, primary, plan.seed, taught, kept.barred)


def with_rows(trip: Trip, plan: Plan, bundle: Bundle, ready: Ready) -> Ready:
    """With the retained rows that may teach, where a guard of the plan asks for them."""
    if not trip.options.retain or not any(GUARDS.get(g["name"]).remembers for g in plan.guards):
        return ready
    task = task_of(bundle)
    source = training.load_for(trip, plan, task.modality)
    memory = remembered(trip, source, task, ready)
    return ready if memory is None else replace(ready, retained=Retained(source.anatomy, memory.teaching))


def forgets(run: Run) -> bool:
    """Does it give up weights of the source, so that nothing shows it to be within a limit?"""
    if without_network(run) or not run.plan.phases:
        return False
    return not (fine_tuned(run) and all(map(head_alone, run.plan.phases)))


def refuse_bound(trip: Trip, why: str) -> None:
    if trip.options.max_forgetting:
        raise WarmstartError(
            f"--max-forgetting {trip.options.max_forgetting}: {why}",
            "start from a model with a trained head, name rows with --retain, or leave the limit out",
            "nothing-to-retain",
        )
