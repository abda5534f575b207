"""Probes that cost trainings of their own, on request: what labels and weights are worth, what is memorised.

    warmstart prove runs/reviews-1 --probe labels --probe weights --probe random-labels

What they will take is said first. Their trainings are trials, so that a probe that was broken off goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from warmstart.base.probed import Probed
from warmstart.base.result import Result
from warmstart.base.types import Bundle, Facts, Plan, Ranking, Run
from warmstart.decide.cost import price
from warmstart.street import labels, pricing, shuffled, weights
from warmstart.street.folder import Trip
from warmstart.street.stops import task_of

if TYPE_CHECKING:
    from warmstart.street.training import Ready

LABELS, WEIGHTS, SHUFFLED = "labels", "weights", "random-labels"
NAMES = (LABELS, WEIGHTS, SHUFFLED)


def probe(
    trip: Trip,
    arms: Mapping[str, Sequence[Run]],
    plan: Plan,
    facts: Facts,
    bundle: Bundle,
    ranking: Ranking,
    ready: Ready,
) -> Probed:
    """What the probes that were asked for find out. Leaves trials/."""
    found = Probed()
    if LABELS in trip.options.probes:
        truth_N = task_of(bundle).targets(bundle, bundle.train).numpy()
        parts = [part for part in labels.parts(plan, facts, truth_N) if part.arm in arms]  # within the budget
        announce(trip, LABELS, [(part.plan, part.facts) for part in parts], plan, facts, bundle, ready)
        found = Probed(labels.budget(trip, parts, arms, plan, facts, bundle, ready))
    if WEIGHTS in trip.options.probes:
        starts = weights.weakened(trip, plan, facts)
        announce(trip, WEIGHTS, [(plan, facts)] * len(starts), plan, facts, bundle, ready)
        known = weights.dependency(trip, starts, arms, plan, bundle, ranking, ready)
        found = replace(found, weights=known)
    if SHUFFLED in trip.options.probes:
        lessons = shuffled.lessons(plan, facts, bundle)
        work = [(lesson.plan, lesson.facts) for lesson in lessons]
        announce(trip, SHUFFLED, work, plan, facts, bundle, ready)
        found = replace(found, random_labels=shuffled.control(trip, lessons, plan, bundle, ready))
    return found


def answered(result: Result, probes: Sequence[str]) -> bool:
    """Does a result hold what these probes find out?"""
    return all(getattr(result, name.replace("-", "_")) is not None for name in probes)


def announce(
    trip: Trip,
    name: str,
    work: Sequence[tuple[Plan, Facts]],
    plan: Plan,
    facts: Facts,
    bundle: Bundle,
    ready: Ready,
) -> None:
    """Say how many trainings there will be and how long they take here, as far as a few steps can tell."""
    if not work:
        return
    plans = {str(number): one for number, (one, _) in enumerate(work)}
    pace = pricing.paces(trip, plans, facts, bundle, ready, plan).timed
    seconds = sum(price(one, seen, pace, len(bundle.validation)).seconds for one, seen in work)
    what = f"probe {name}: {len(work)} trainings, about {seconds:,.0f} s if each goes to its last epoch"
    trip.tell({"event": "note", "what": what, "probe": name, "trainings": len(work), "seconds": seconds})
