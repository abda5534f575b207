"""The chart of when to fine-tune: what would be chosen with other rows and other features, untried."""

from __future__ import annotations

from dataclasses import replace

from warmstart.base.result import Chart
from warmstart.base.types import Facts
from warmstart.decide.choose import choose

PER_CLASS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
SIMILARITIES = tuple(i / 10 for i in range(11))


def chart(facts: Facts, model: str | None) -> Chart | None:
    """The choice at each number of rows per class and each similarity; None where features say nothing."""
    if not (facts.pretrained and facts.measured):
        return None
    untried = replace(facts, pilots=(), prices={}, seconds_left=None, baseline=None, lead=None)
    rows = [
        tuple(choose(elsewhere(untried, per_class, similarity), model)[0].strategy for per_class in PER_CLASS)
        for similarity in SIMILARITIES
    ]
    return Chart(PER_CLASS, SIMILARITIES, tuple(rows), (facts.median_per_class, facts.similarity))


def elsewhere(facts: Facts, per_class: int, similarity: float) -> Facts:
    """The facts with so many rows a class, and features so near to perfect."""
    probe = facts.floor + similarity * (1 - facts.floor)
    return replace(
        facts,
        rows=per_class * facts.classes,
        median_per_class=float(per_class),
        fewest_per_class=per_class,
        probe=probe,
    )
