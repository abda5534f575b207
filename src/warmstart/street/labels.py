"""What more labels would bring: the plan's recipe on parts of the training rows, and a curve through them.

The decision is over, so all training rows may teach and the test rows judge. Every part is learned from by
the plan that its number of rows gives, as the user would have had it with so many labels; small parts, which
are cheap and differ most, several times, each time other rows with another seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, log2, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmstart.base.probed import Expected, Growth, LabelBudget, Learned, Several, Target, Worth
from warmstart.base.seeds import generator
from warmstart.base.types import Bundle, Facts, Measure, Plan, Reason, Run
from warmstart.decide.choose import plan_for
from warmstart.decide.curves.curve import Curve, Rows
from warmstart.decide.curves.fit import fit
from warmstart.decide.curves.points import FEW_SHOT, Point
from warmstart.decide.curves.refusal import Refusal
from warmstart.decide.plan_file import apply_settings
from warmstart.evaluate.probes.labels import accuracies
from warmstart.street import by_hand, training
from warmstart.street.folder import Trip
from warmstart.street.stops import task_of
from warmstart.street.training import Ready
from warmstart.street.trials import Places, asked, spread, trial

SCRATCH = "scratch"
FEWEST = 2  # rows a class of the smallest part
SHOWN = 25  # places at which a curve is read, evenly by the logarithm of the rows
GOALS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99)  # accuracies that one may be after
NEXT = 2  # of them, above what is reached


@dataclass(frozen=True)
class Part:
    """One training to do: by which plan, on which places of the training rows."""

    arm: str
    plan: Plan
    facts: Facts
    places: Places

    @property
    def name(self) -> str:
        return f"labels-{self.arm}-{len(self.places)}-seed-{self.plan.seed}"


def parts(plan: Plan, facts: Facts, labels_N: NDArray[np.int64]) -> list[Part]:
    """Every training on a part of the rows: of the plan, and beside it of learning from scratch."""
    found = []
    for rows in sizes(len(labels_N), facts.classes):
        for number in range(times_of(rows, len(labels_N))):
            order = generator(plan.seed, "labels", number).permutation(len(labels_N))
            places = np.sort(spread(labels_N, order)[:rows])
            seen = of_rows(facts, labels_N[places])
            ours = recipe(plan, facts, seen, plan.seed + number)
            found.append(Part(plan.strategy, ours, seen, places))
            rival = training.rival_plans(ours, seen).get(SCRATCH)
            if rival is not None and plan.pretrained:
                found.append(Part(SCRATCH, rival, seen, places))
    return found


def sizes(rows: int, classes: int) -> list[int]:
    """An eighth, a quarter and a half of the rows, where 10 a class are left; else what comes nearest."""
    shares = [rows // 8, rows // 4, rows // 2]
    enough = [n for n in shares if n >= FEW_SHOT * classes]
    return enough if len(enough) > 1 else [n for n in shares[1:] if n >= FEWEST * classes]


def times_of(rows: int, every: int) -> int:
    """How often a part is learned from: half of the rows once, a quarter twice, an eighth three times."""
    return max(1, floor(log2(every / rows)))


def of_rows(facts: Facts, labels_N: NDArray[np.int64]) -> Facts:
    """The facts of a part of the rows. What was measured of the candidates stays as it was."""
    counts = np.bincount(labels_N, minlength=facts.classes)
    fewest, median = int(counts.min()), float(np.median(counts))
    return replace(facts, rows=len(labels_N), fewest_per_class=fewest, median_per_class=median)


def recipe(plan: Plan, facts: Facts, seen: Facts, seed: int) -> Plan:
    """The plan as its strategy makes it for these facts, with what was changed in it by hand."""
    changed = by_hand.settings(plan_for(plan.strategy, facts, plan.model, seed=plan.seed), plan)
    return apply_settings(plan_for(plan.strategy, seen, plan.model, seed=seed), changed)


def budget(
    trip: Trip,
    work: Sequence[Part],
    arms: Mapping[str, Sequence[Run]],
    plan: Plan,
    facts: Facts,
    bundle: Bundle,
    ready: Ready,
) -> LabelBudget:
    """Do the trainings, fit the curves, and say what they say."""
    judged = {"test": asked(ready, "test")}
    runs = {p.name: trial(trip, p.name, p.plan, bundle, ready, p.places, judged) for p in work}
    done = {
        arm: [(len(p.places), runs[p.name]) for p in work if p.arm == arm]
        + [(len(bundle.train), run) for run in unlike(arms[arm])]
        for arm in dict.fromkeys(p.arm for p in work) or (plan.strategy,)
    }
    guessing = task_of(bundle).floor(ready.splits["test"].targets)
    curves = {arm: curve_of(pairs, facts.classes, guessing) for arm, pairs in done.items()}
    grown = {arm: growth(pairs, curves[arm]) for arm, pairs in done.items()}
    known = LabelBudget(
        run=plan.strategy,
        rows=len(bundle.train),
        plan=grown[plan.strategy],
        scratch=grown.get(SCRATCH) if plan.pretrained else None,
        trainings=len(runs),
        seconds=sum(run.seconds for run in runs.values()),
    )
    ours = curves[plan.strategy]
    return known if isinstance(ours, Refusal) else told(known, ours, curves.get(SCRATCH))


def unlike(runs: Sequence[Run]) -> Iterator[Run]:
    """Runs that answer alike with every seed count once: they say nothing of how trainings differ."""
    seen: list[NDArray[np.float64]] = []
    for run in runs:
        probabilities = run.predictions["test"].probabilities
        if not any(np.array_equal(probabilities, other) for other in seen):
            seen.append(probabilities)
            yield run


def curve_of(pairs: Sequence[tuple[int, Run]], classes: int, guessing: float) -> Curve | Refusal:
    said = [(rows, run.plan.seed, run.predictions["test"]) for rows, run in pairs]
    points = [Point(rows, int((p.answers == p.truth).sum()), len(p.truth), seed) for rows, seed, p in said]
    return fit(points, classes=classes, floor=guessing)


def growth(pairs: Sequence[tuple[int, Run]], curve: Curve | Refusal) -> Growth:
    """What was measured, in the order of the rows, and what the curve says along its way."""
    measured = accuracies({f"{rows}-{run.name}": run for rows, run in pairs})
    found = (Learned(rows, run.plan.seed, measured[f"{rows}-{run.name}"]) for rows, run in pairs)
    learned = tuple(sorted(found, key=lambda one: (one.rows, one.seed)))
    if isinstance(curve, Refusal):
        return Growth(learned, refused=curve.reason)
    places = np.unique(np.geomspace(curve.smallest, curve.horizon, SHOWN).round().astype(int))
    along = ((int(n), likely(curve, int(n))) for n in sorted({*places.tolist(), curve.largest}))
    return Growth(
        learned,
        tuple(Expected(n, measure) for n, measure in along),
        skipped=tuple(sorted({point.n for point in curve.dropped})),
    )


def likely(curve: Curve, rows: int) -> Measure:
    """The true accuracy at a number of rows that lies on the curve."""
    found = curve.at(rows)
    assert not isinstance(found, Refusal), "within the horizon"
    return found.likely


def told(known: LabelBudget, ours: Curve, theirs: Curve | Refusal | None) -> LabelBudget:
    """With what the plan's curve answers, and how it compares with that of learning from scratch."""
    reached = likely(ours, ours.largest).value
    several, refused = compared(ours, theirs, reached)
    return replace(
        known,
        worth=tuple(Worth(more, gain) for more in steps(ours.largest) if (gain := worth(ours, more))),
        targets=tuple(target(ours, goal) for goal in [g for g in GOALS if g > reached][:NEXT]),
        reached=reached,
        times=several,
        refused=refused,
    )


def worth(curve: Curve, more: int) -> Measure | None:
    found = curve.worth(more)
    return None if isinstance(found, Refusal) else found


def steps(rows: int) -> list[int]:
    """Round numbers of further labels: about half, all and three times of those that are there."""
    return list(dict.fromkeys(round_number(n) for n in (rows / 2, rows, 3 * rows)))


def round_number(n: float) -> int:
    """The largest of 1, 2 and 5 times a power of ten that is not above n, which is at least 1."""
    power = 10 ** floor(log10(n))
    return max(int(step * power) for step in (1, 2, 5) if step * power <= n)


def target(curve: Curve, goal: float) -> Target:
    found = curve.needed(goal)
    if isinstance(found, Refusal):
        return Target(goal, refused=found.reason)
    return Target(goal, plainly(found))


def compared(
    ours: Curve, theirs: Curve | Refusal | None, reached: float
) -> tuple[Several | None, Reason | None]:
    """How many times the labels scratch needs for what is reached, or why that cannot be said."""
    if theirs is None:
        return None, None
    if isinstance(theirs, Refusal):
        return None, theirs.reason
    found = ours.times(theirs, reached)
    return (None, found.reason) if isinstance(found, Refusal) else (plainly(found), None)


def plainly(rows: Rows) -> Several:
    fields: dict[str, Any] = {
        name: getattr(rows, name) for name in ("value", "bound", "low", "high", "level")
    }
    return Several(**fields)
