"""Is it shown that a model has lost no more than a limit? And of several that were tried in order, which.

The claim "more than the limit is lost" is tested on rows that chose nothing before: for shares of right rows
by Tango's score test of paired rows (1998, Statistics in Medicine 17:891), exactly where no row was won, and
for mean losses by Student's t, bent for their skewness (Hall 1992). Models are tried from the safest to the
boldest and the first that fails ends the row, so that the chance that any model passes which loses more than
the limit is the level of one test (fixed sequence testing, as in Angelopoulos et al. 2021, "Learn then Test",
arXiv 2110.01052). Several rows of models divide the level among them.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from warmstart.evaluate.intervals import standard_error

Floats = NDArray[np.float64]
LEVEL = 0.05  # chance that what passes loses more than the limit
STEPS = 60  # halvings of the search for an upper bound


def p_value(lost_N: Floats, limit: float) -> float:
    """One-sided p of the claim that the mean of `lost_N` (before minus after, by row) is at least the limit.

    Rows of -1, 0 and 1 are shares of right rows; others are losses in nats. Rows that are all 0 because
    nothing was changed need no test: see `certified`.
    """
    if set(np.unique(lost_N)) <= {-1.0, 0.0, 1.0}:
        return of_shares(int((lost_N > 0).sum()), int((lost_N < 0).sum()), len(lost_N), limit)
    return of_means(lost_N - limit)


def of_shares(lost: int, won: int, n: int, limit: float) -> float:
    """Of n rows so many were right before alone, and so many after alone; 0 < limit < 1."""
    if not 0 < limit < 1:
        return float(limit <= 0)
    if not won:
        from scipy.stats import binom

        return float(binom.cdf(lost, n, limit))
    b = -lost - won + (2 * n - lost + won) * limit
    root = b * b + 8 * n * won * limit * (1 - limit)
    share_won = (sqrt(root) - b) / (4 * n)  # likeliest where the loss is the limit
    variance = n * (2 * share_won + limit * (1 - limit))
    return NormalDist().cdf((lost - won - n * limit) / sqrt(variance))


def of_means(over_N: Floats) -> float:
    """One-sided p of a mean of at least 0."""
    from scipy.special import stdtr

    n = len(over_N)
    if n < 2 or over_N.std() == 0:
        return float(n < 2 or over_N.mean() >= 0)
    t = float(over_N.mean()) / standard_error(over_N)
    a = float(((over_N - over_N.mean()) ** 3).mean() / over_N.std() ** 3) / sqrt(n)
    bent = t + a * t * t / 3 + a * a * t**3 / 27 + a / 6
    return float(stdtr(n - 1, bent))


def upper(lost_N: Floats, level: float = LEVEL) -> float:
    """The smallest limit that these rows show not to be exceeded, by halving; at most 1 for shares."""
    shares = set(np.unique(lost_N)) <= {-1.0, 0.0, 1.0}
    low = float(lost_N.mean())
    high = 1.0 if shares else low + max(1e-9, float(lost_N.max() - lost_N.min())) * 10 + 1e-9
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if p_value(lost_N, middle) <= level else (middle, high)
    return high


def certified(tried: Sequence[Floats | None], limit: float, level: float = LEVEL) -> int:
    """How many of the models, from the safest on, are shown to lose less than the limit.

    Each is the rows' losses, or None for a model that is the source itself, which loses nothing.
    """
    for number, lost_N in enumerate(tried):
        if lost_N is not None and p_value(lost_N, limit) > level:
            return number
    return len(tried)


def rows_needed(limit: float, level: float = LEVEL) -> int:
    """Rows that show the limit where not one of them is lost: fewer can show it of no changed model."""
    return int(np.ceil(np.log(level) / np.log1p(-limit))) if 0 < limit < 1 else 0
