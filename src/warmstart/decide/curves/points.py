"""What a learning curve is fitted to: scores at several numbers of training rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError

Floats = NDArray[np.float64]

FEW_SHOT = 10  # rows per class; below, curves follow another law (Jain et al. 2023, CVPR)
ENOUGH = 3  # sizes
SPAN = 2  # the largest size over the smallest, at least


@dataclass(frozen=True, order=True)
class Point:
    """One training: on how many rows, and how many held-out rows it then answered right.

    Point(n=200, right=431, total=500, seed=1)

    A training that comes out alike with every seed is one point, not several.
    """

    n: int  # training rows
    right: float  # held-out or out-of-fold rows answered right; a mean over folds need not be whole
    total: int  # held-out rows
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n < 1 or self.total < 1 or not 0 <= self.right <= self.total:
            raise WarmstartError(
                wrong=f"{self} is no point of a learning curve",
                do="give at least one training row, and 0 to `total` rows answered right",
                code="curve-point",
            )

    @property
    def score(self) -> float:
        return self.right / self.total


def sizes(points: Iterable[Point]) -> tuple[int, ...]:
    """The different numbers of training rows, ascending."""
    return tuple(sorted({point.n for point in points}))


def past_few_shot(points: Iterable[Point], classes: int) -> tuple[Point, ...]:
    """The points in order, without sizes below 10 rows per class where those left are sizes enough."""
    kept = sorted(points)
    larger = [point for point in kept if point.n >= FEW_SHOT * classes]
    return tuple(larger if enough(sizes(larger)) else kept)


def enough(there: Sequence[int]) -> bool:
    return len(there) >= ENOUGH and there[-1] >= SPAN * there[0]


def angles(points: Iterable[Point]) -> Floats:
    """Scores as arcsin(sqrt(share)): binomial noise is 1/(4 total) there, whatever the share.

    With Anscombe's 3/8 (1948, Biometrika 35:246), so that 0 % and 100 % are numbers like others.
    """
    return np.array([np.arcsin(np.sqrt((p.right + 3 / 8) / (p.total + 3 / 4))) for p in points])
