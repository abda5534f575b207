"""When no curve is drawn, or a question about one is not answered: which rule, what it saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.base.types import Reason
from warmstart.decide.curves.falls import ALPHA, Fall, largest_fall, typical_sd
from warmstart.decide.curves.noise import Seen
from warmstart.decide.curves.points import ENOUGH, SPAN, Point, sizes

ROWS = 50  # held out, at least
WRONG = 5  # rows answered wrong at the largest size, at least
HORIZON = 4  # times the largest size


@dataclass(frozen=True)
class Refusal:
    """Why there is no number."""

    code: str  # for programs: "sizes", "span", "rows", "falls", "ceiling", "floor", "horizon"
    reason: Reason


def refused(code: str, rule: str, saw: str, so: str) -> Refusal:
    return Refusal(code, Reason(f"learning curve: {rule}", saw, so))


def too_little(points: Sequence[Point]) -> Refusal | None:
    """Are there sizes and rows enough?"""
    there = sizes(points)
    shown = ", ".join(f"{n:,}" for n in there) or "none"
    if len(there) < ENOUGH:
        return refused("sizes", f"at least {ENOUGH} sizes", shown, "train on more sizes")
    if there[-1] < SPAN * there[0]:
        return refused("span", f"sizes that differ {SPAN}-fold", shown, "train on fewer rows as well")
    held = min(p.total for p in points)
    if held < ROWS:
        return refused("rows", f"at least {ROWS} held-out rows", f"{held:,}", "hold out more rows")
    return None


def ill_behaved(points: Sequence[Point], seen: Seen, floor: float) -> Refusal | None:
    """Do the scores fall, or stand where nothing can be told of their growth?"""
    there = sizes(points)
    scores = [float(np.mean([p.score for p in points if p.n == n])) for n in there]
    fall = largest_fall(seen)
    if fall.p < ALPHA:
        return falls(there, scores, fall)
    largest = [p for p in points if p.n == there[-1]]
    wrong = float(np.mean([p.total - p.right for p in largest]))
    if wrong < WRONG:
        saw = f"{wrong:g} of {largest[0].total:,} at {there[-1]:,} rows"
        return refused("ceiling", f"at least {WRONG} held-out rows answered wrong", saw, "hold out more rows")
    if floor and not above(floor, seen):
        saw = f"{scores[-1]:.1%} at {there[-1]:,} rows, {floor:.1%} by guessing"
        return refused("floor", "better than guessing", saw, "nothing is learned yet that could be continued")
    return None


def falls(there: Sequence[int], scores: Sequence[float], fall: Fall) -> Refusal:
    first, second = (f"{scores[i]:.1%} at {there[i]:,} rows" for i in (fall.first, fall.second))
    saw = f"{first}, {second}, p {fall.p:.3f}"
    return refused("falls", "scores that do not fall", saw, "a curve that falls is not continued")


def above(floor: float, seen: Seen) -> bool:
    """Is the score at the largest size above that of guessing, at one-sided 5 %?"""
    angle = float(seen.without_curve() @ seen.means_GS[:, -1])
    return bool(angle - 1.645 * typical_sd(seen)[-1] > np.arcsin(np.sqrt(floor)))


def beyond(n: float, smallest: int, largest: int) -> Refusal | None:
    """Is n where the curve may be read: from the smallest size to four times the largest?"""
    if smallest <= n <= HORIZON * largest:
        return None
    rule = f"from the smallest size to {HORIZON} times the largest"
    saw = f"{n:,.0f} rows; {smallest:,} to {HORIZON * largest:,}"
    return refused("horizon", rule, saw, "train on sizes nearer to it")
