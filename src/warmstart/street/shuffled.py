"""Can the recipe learn by heart? The plan on rows with shuffled labels (Zhang et al. 2017, arXiv 1611.03530).

What is then answered "right" of the training rows has been memorised, for there is nothing else to learn. The
same rows with their own labels stand beside it. Guards against overfitting are left out: the question is what
the weights can hold, and no validation row could agree with shuffled labels. Rows are bounded, so that the
control costs little; how much a recipe can memorise falls with the rows, so that this is what it can at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from warmstart.base.probed import RandomLabels
from warmstart.base.seeds import generator
from warmstart.base.types import Bundle, Facts, Measure, Plan
from warmstart.evaluate.intervals import wilson
from warmstart.street import labels
from warmstart.street.folder import Trip
from warmstart.street.stops import task_of
from warmstart.street.training import Ready
from warmstart.street.trials import Places, asked, spread, trial
from warmstart.tune.guards import GUARDS

MOST = 256  # rows that the control learns from
TRUE, SHUFFLED = "true", "shuffled"


@dataclass(frozen=True)
class Lesson:
    """One training to do: these places of the training rows, with these labels of all of them."""

    name: str
    plan: Plan
    facts: Facts
    places: Places
    labels_N: NDArray[np.int64]


def lessons(plan: Plan, facts: Facts, bundle: Bundle) -> list[Lesson]:
    """With shuffled labels, and with their own; each class keeps its number of rows."""
    truth_N = task_of(bundle).targets(bundle, bundle.train).numpy()
    rng = generator(plan.seed, "random-labels")
    places = np.sort(spread(truth_N, rng.permutation(len(truth_N)))[:MOST])
    mixed_N = truth_N.copy()
    mixed_N[places] = rng.permutation(truth_N[places])
    seen = labels.of_rows(facts, truth_N[places])
    bare = unguarded(labels.recipe(plan, facts, seen, plan.seed))
    return [
        Lesson(f"random-labels-{name}", bare, seen, places, labels_N)
        for name, labels_N in ((SHUFFLED, mixed_N), (TRUE, truth_N))
    ]


def unguarded(plan: Plan) -> Plan:
    """The plan without what guards against overfitting."""
    kept = tuple(g for g in plan.guards if GUARDS.get(g["name"]).mitigates != "overfitting")
    return replace(plan, guards=kept)


def control(trip: Trip, work: Sequence[Lesson], plan: Plan, bundle: Bundle, ready: Ready) -> RandomLabels:
    """Do the trainings; how many of their own training rows each answers as it was taught."""
    runs = {lesson.name: taught(trip, lesson, bundle, ready) for lesson in work}
    shuffled, true = (runs[lesson.name] for lesson in work)
    truth_M = work[0].labels_N[work[0].places]
    guessing = float(np.bincount(truth_M).max() / len(truth_M))
    return RandomLabels(
        run=plan.strategy,
        rows=len(truth_M),
        reached=shuffled[0],
        true_labels=true[0],
        guessing=guessing,
        by_heart=above(shuffled[0], guessing),
        trainings=len(runs),
        seconds=sum(seconds for _, seconds in runs.values()),
    )


def taught(trip: Trip, lesson: Lesson, bundle: Bundle, ready: Ready) -> tuple[Measure, float]:
    """The share of its training rows that get the label they were taught with, and the seconds it took."""
    train = replace(ready.splits["train"], targets=torch.from_numpy(lesson.labels_N))
    relabelled = replace(ready, splits={**ready.splits, "train": train})
    judged = {"train": asked(relabelled, "train", lesson.places)}
    how = "" if lesson.name.endswith(TRUE) else "labels shuffled"
    run = trial(trip, lesson.name, lesson.plan, bundle, relabelled, lesson.places, judged, changed=how)
    said = run.predictions["train"]
    right, n = int((said.answers == said.truth).sum()), len(said.truth)
    return Measure("right", right / n, *wilson(right, n), n, "Wilson score"), run.seconds


def above(reached: Measure, guessing: float) -> Measure:
    """The share of the way from guessing to all rows."""
    low, value, high = (
        (share - guessing) / max(1e-9, 1 - guessing) for share in (reached.low, reached.value, reached.high)
    )
    return Measure("learned by heart", value, low, high, reached.n, f"{reached.how}, guessing taken off")
