"""Overfitting as sentences: the likeliest causes, what a model knows by heart, and the control for it."""

from collections.abc import Iterator

from warmstart.base.probed import RandomLabels
from warmstart.base.result import Result
from warmstart.base.types import Cause, Measure, Overfitting
from warmstart.report.units import PERCENT, PLAIN
from warmstart.report.words import capital, clock, count

CLEAR = 0.5  # of the area: losses that are alike


def causes(result: Result) -> list[tuple[str, Cause]]:
    """Run and cause: all of the recommended run, the likeliest of each other."""
    found = []
    for name, seen in result.overfitting.items():
        shown = seen.causes if name == result.recommended else seen.causes[:1]
        found += [(name, cause) for cause in shown]
    return sorted(found, key=lambda pair: pair[0] != result.recommended)


def by_heart(found: Measure) -> str:
    """What the area under the curve says: "its losses tell ... 0.78 [0.74, 0.82] (0.5: not at all)"."""
    reading = PLAIN.reading(found.value, found.low, found.high)
    told = (
        "more than chance"
        if found.low > CLEAR
        else "no better than chance"
        if found.high >= CLEAR
        else "less"
    )
    return f"{reading}, {told}"


def next_step(seen: Overfitting | None) -> str:
    """What to do about the likeliest cause; nothing where there is none."""
    return seen.causes[0].do if seen and seen.causes else ""


def control(known: RandomLabels) -> Iterator[str]:
    """What the control with shuffled labels says."""
    reached = PERCENT.reading(known.reached.value, known.reached.low, known.reached.high)
    yield (
        f"taught shuffled labels, the recipe of {known.run} gives {reached} of {count(known.rows)} training "
        f"rows the label they were taught with, where guessing gives {PERCENT.show(known.guessing)} %"
    )
    if known.true_labels is not None:
        true = known.true_labels
        yield f"taught their own labels, {PERCENT.reading(true.value, true.low, true.high)} of the same rows"
    yield capital(meaning(known))


def meaning(known: RandomLabels) -> str:
    """How much of the way from guessing to all rows was learned by heart."""
    found = known.by_heart
    if found.low <= 0:
        return "it is not shown to learn rows by heart: what it answers of them comes from what they share"
    share = PERCENT.reading(found.value, found.low, found.high)
    return f"so it can learn rows by heart, {share} of the way: high accuracy on training rows says little"


def price(known: RandomLabels) -> str:
    return f"{count(known.trainings)} trainings, {clock(known.seconds)}"
