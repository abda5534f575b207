"""What differences that were seen let one expect of two candidates when both are tuned on all rows.

Candidates that come close on frozen features end up within some points of each other, so that few rows must
not be taken at their word: what was seen is drawn towards no difference by as much as it is in doubt
(empirical Bayes, Efron and Morris 1975, JASA 70:311). Frozen features are in doubt twice: for their rows, and
because tuning changes more in one network than in another.
"""

from statistics import NormalDist
from typing import NamedTuple

from warmstart.base.types import Measure
from warmstart.select.judge import PROBE, Judged
from warmstart.select.measures import hits
from warmstart.select.scores._scoring import LEVEL, Folds, difference

SPREAD = 0.05  # of accuracy: standard deviation of the differences among candidates that come close
TRANSFER = 0.03  # of accuracy: how far these lie from the differences of the frozen features, rows aside
MARGIN = 0.0025  # of accuracy: what a smaller model may be expected to cost
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


class Seen(NamedTuple):
    """A difference in accuracy, and the standard error with which it speaks of that after tuning."""

    value: float
    error: float


def expected(*seen: Seen) -> float:
    """The mean of what is believed after all of it, independent of each other."""
    weights = [1 / max(one.error, 1e-6) ** 2 for one in seen]
    told = sum(weight * one.value for weight, one in zip(weights, seen, strict=True))
    return told / (sum(weights) + 1 / SPREAD**2)


def of_trainings(ahead: Measure) -> Seen:
    """The paired difference of two short trainings."""
    return Seen(ahead.value, error_of(ahead))


def of_accuracies(one: Measure, other: Measure) -> Seen:
    """Two accuracies of frozen features, unpaired, which is a little too careful."""
    return Seen(one.value - other.value, (error_of(one) ** 2 + error_of(other) ** 2 + TRANSFER**2) ** 0.5)


def cost(small: Judged, other: Judged, folds: Folds) -> float:
    """Accuracy that `small` is expected to lack of `other`, by their probes on the same rows."""
    mine, theirs = hits(small.scorings[PROBE], folds), hits(other.scorings[PROBE], folds)
    value, low, high = difference(theirs, mine, folds)
    error = (high - low) / (2 * Z)
    return expected(Seen(value, (error**2 + TRANSFER**2) ** 0.5))


def error_of(measured: Measure) -> float:
    return (measured.high - measured.low) / (2 * Z)
