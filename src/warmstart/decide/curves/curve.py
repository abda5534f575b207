"""A learning curve: what more labelled rows would bring, and how sure that is.

    curve = fit(points, classes=4, floor=0.25)
    curve.at(2000).likely        # Measure of the score at 2,000 rows, 90 % interval
    curve.worth(500)             # Measure of what the next 500 labels add
    curve.needed(0.9)            # Rows for 90 %, or the refusal "not within the horizon"
    curve.times(scratch, 0.8)    # how many times the labels that `scratch` needs for 80 %

Every answer is about the true score: of the average training, on endless fresh rows like the held-out ones.
Those held out are a draw from them, easier or harder; that doubt is in the intervals and is often their
largest part. `at` also predicts what will be measured: by some trainings, on some rows, on the same rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmstart.base.seeds import generator
from warmstart.base.types import Measure
from warmstart.decide.curves.points import Point
from warmstart.decide.curves.refusal import HORIZON, Refusal, beyond, refused

Floats = NDArray[np.float64]

LIKELY, SURE = 0.90, 0.95  # levels of intervals
HOW = "average of POW3, POW4 and MMF, posterior quantiles"


@dataclass(frozen=True)
class Prediction:
    """The score at n training rows, with a 90 % and a 95 % interval."""

    n: int
    likely: Measure
    sure: Measure


@dataclass(frozen=True)
class Rows:
    """How many rows, or times the rows: the middle of the draws, and an interval.

    Where the middle lies beyond the horizon or below the smallest size, `value` is only a bound for it.
    `high` is None where no upper end can be given.
    """

    value: float
    bound: str  # "": the value is known; else "more than" or "fewer than" it
    low: float
    high: float | None
    level: float
    how: str = HOW


@dataclass(frozen=True)
class Curve:
    """D draws of the curve on a grid of sizes, each never falling, and what else each draw believes."""

    points: tuple[Point, ...]  # that were fitted
    dropped: tuple[Point, ...]  # too few rows per class
    weights: dict[str, float]  # how likely each form is
    sizes_G: Floats  # those measured and others, from the smallest to the horizon
    angles_DG: Floats  # arcsin(sqrt(score))
    training_D: Floats  # sd between trainings at the largest size, as an angle
    rows_luck_D: Floats  # how far the held-out rows are easier than fresh ones, as an angle
    likeness_D: Floats  # correlation of right answers on the same rows
    normals_D: Floats  # standard normals that stand for what is not measured yet

    @property
    def smallest(self) -> int:
        return self.points[0].n

    @property
    def largest(self) -> int:
        return self.points[-1].n

    @property
    def horizon(self) -> int:
        return HORIZON * self.largest

    @property
    def rows(self) -> int:
        """Held-out rows."""
        return max(point.total for point in self.points)

    def at(
        self, n: int, *, trainings: int = 0, rows: int = 0, same_rows: bool = False
    ) -> Prediction | Refusal:
        """The score at n training rows.

        By default the true one. `trainings` > 0: the mean of that many trainings; `rows` > 0: as measured
        on that many fresh rows; `same_rows`: as measured on the rows held out here.
        """
        if refusal := beyond(n, self.smallest, self.largest):
            return refusal
        angles_D = self.angles_at(n) + self.unmeasured(trainings, rows, same_rows)
        scores_D = np.sin(np.clip(angles_D, 0, np.pi / 2)) ** 2
        likely, sure = (self.measure("score", scores_D, level) for level in (LIKELY, SURE))
        return Prediction(n, likely, sure)

    def worth(self, more: int, level: float = LIKELY) -> Measure | Refusal:
        """How much the next `more` labels add to the score at the largest size; never negative.

        What is uncertain of the level alone is not uncertain of a gain: this is surer than two of `at`.
        """
        if refusal := beyond(self.largest + more, self.smallest, self.largest):
            return refusal
        gain_D = self.scores_at(self.largest + more) - self.scores_at(self.largest)
        return self.measure(f"gain of {more:,} more rows", gain_D, level)

    def needed(self, target: float, level: float = LIKELY) -> Rows | Refusal:
        """Training rows for a true score of `target`; a refusal where hardly a draw reaches it."""
        low_D, high_D = self.crossings(target)
        reached = float(np.isfinite(high_D).mean())
        if reached < (1 - level) / 2:
            saw = f"{target:.1%}; within {self.horizon:,} rows with a chance of {reached:.0%}"
            return refused("horizon", "a target within the horizon", saw, "not within the horizon")
        return spread(low_D, high_D, level)

    def times(self, other: "Curve", score: float, level: float = LIKELY) -> Rows | Refusal:
        """How many times the labels `other` needs for the score, of those that this curve needs.

        Where a curve is beyond its horizon, or has the score below its smallest size, the ratio is bounded
        on one side alone; the interval holds all that the bounds allow. The curves are taken as
        independent, which makes it wider where they share held-out rows.
        """
        (low_D, high_D), (rival_low_D, rival_high_D) = self.crossings(score), other.crossings(score)
        pairs = generator(0, "curve", "times").integers(len(rival_low_D), size=len(low_D))
        least_D = rival_low_D[pairs] / high_D
        most_D = np.where(low_D > 0, rival_high_D[pairs] / np.maximum(low_D, 1.0), np.inf)
        if np.median(least_D) == 0 and np.median(most_D) == np.inf:
            saw = f"{score:.1%}; from {self.smallest:,} to {self.horizon:,} rows, and {other.smallest:,} to "
            saw += f"{other.horizon:,}"
            return refused("horizon", "a score within a curve's sizes", saw, "choose another score")
        return spread(least_D, most_D, level)

    def crossings(self, target: float) -> tuple[Floats, Floats]:
        """The sizes between which each draw comes to the target: equal, or open below or above the grid."""
        goal = np.arcsin(np.sqrt(np.clip(target, 0, 1)))
        below_D = (self.angles_DG < goal).sum(1)
        grid_G, last = np.log(self.sizes_G), len(self.sizes_G) - 1
        right = np.clip(below_D, 1, last)
        draws = np.arange(len(right))
        low, high = self.angles_DG[draws, right - 1], self.angles_DG[draws, right]
        share = np.clip((goal - low) / np.maximum(high - low, 1e-12), 0, 1)
        size_D = np.exp(grid_G[right - 1] + share * (grid_G[right] - grid_G[right - 1]))
        early, late = below_D == 0, below_D > last
        return (
            np.where(early, 0.0, np.where(late, self.sizes_G[-1], size_D)),
            np.where(late, np.inf, np.where(early, self.sizes_G[0], size_D)),
        )

    def scores_at(self, n: float) -> Floats:
        scores: Floats = np.sin(self.angles_at(n)) ** 2
        return scores

    def angles_at(self, n: float) -> Floats:
        """The draws at n, linear in log n between the sizes of the grid."""
        grid_G = np.log(self.sizes_G)
        right = int(np.clip(np.searchsorted(grid_G, np.log(n)), 1, len(grid_G) - 1))
        share = np.clip((np.log(n) - grid_G[right - 1]) / (grid_G[right] - grid_G[right - 1]), 0, 1)
        angles: Floats = (1 - share) * self.angles_DG[:, right - 1] + share * self.angles_DG[:, right]
        return angles

    def unmeasured(self, trainings: int, rows: int, same_rows: bool) -> Floats:
        """What a measurement would add to the true angle."""
        variance_D = np.zeros(len(self.training_D))
        if trainings:
            variance_D += self.training_D**2 / trainings
        if same_rows:
            variance_D += (1 - self.likeness_D) / (4 * self.rows * max(1, trainings))
        elif rows:
            shared = self.likeness_D + (1 - self.likeness_D) / max(1, trainings)
            variance_D += shared / (4 * rows)
        noise: Floats = np.sqrt(variance_D) * self.normals_D + self.rows_luck_D * same_rows
        return noise

    def measure(self, name: str, values_D: Floats, level: float) -> Measure:
        low, value, high = np.quantile(values_D, [(1 - level) / 2, 0.5, (1 + level) / 2])
        return Measure(name, float(value), float(low), float(high), self.rows, f"{HOW}, {level:.0%}")


def spread(low_D: Floats, high_D: Floats, level: float) -> Rows:
    """The interval of draws that are themselves known between two ends."""
    low = float(np.quantile(low_D, (1 - level) / 2, method="lower"))
    high = float(np.quantile(high_D, (1 + level) / 2, method="higher"))
    least, most = (float(np.quantile(ends, 0.5, method="nearest")) for ends in (low_D, high_D))
    bound = "" if least == most else "more than" if most == np.inf else "fewer than"
    value = most if bound == "fewer than" else least
    return Rows(value, bound, low, high if np.isfinite(high) else None, level)
