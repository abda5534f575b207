"""Can a classifier tell the test rows from the training rows? Then they were not drawn alike.

Its area under the ROC curve is the share of pairs, one row of each side, that it puts in the right order:
0.5 where nothing tells them apart (Lopez-Paz & Oquab 2017, arXiv 1610.06545, for the test by a classifier).
"""

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Measure
from warmstart.select.scores._folds import Folds, make_folds

WORTH_A_NOTE, WORTH_A_WARNING = 0.6, 0.7  # areas above which a difference that is shown is told
Z = 2.5758293035489004  # of a 99 % interval: of clean data one in 200 is to be told apart


def folds_of(train: int, test: int, seed: int) -> tuple[Folds, NDArray[np.int64]]:
    """Folds of `train` + `test` rows, once, and the side of each: 0 and then 1."""
    side_N = np.repeat([0, 1], [train, test])
    return make_folds(side_N, None, seed, repeats=1), side_N


def told_apart(test_N: NDArray[np.float64], side_N: NDArray[np.int64], folds: Folds) -> Measure:
    """The area with its 99 % interval; `test_N` is how likely each row, unseen, was held to be a test row.

    Rows are compared within their fold, as answers of different models need not be on one scale. The variance
    is DeLong's (1988, Biometrics 44), the mean over folds is widened for the training rows that the models
    share (Nadeau & Bengio 2003).
    """
    found = [area(test_N[rows], side_N[rows]) for rows in folds.tests[0]]
    count = len(found)
    value = float(np.mean([one for one, _ in found]))
    variance = sum(spread for _, spread in found) / count**2 * (1 + count / (count - 1))
    half = Z * float(np.sqrt(variance))
    how = f"99 % interval by DeLong within {count} folds, widened for shared training rows"
    return Measure("auc", value, max(0.0, value - half), min(1.0, value + half), len(side_N), how)


def area(scores_N: NDArray[np.float64], side_N: NDArray[np.int64]) -> tuple[float, float]:
    """The area under the ROC curve of one model, and DeLong's variance of it; ties count half."""
    from scipy.stats import rankdata

    high, low = scores_N[side_N == 1], scores_N[side_N == 0]
    ranks = rankdata(np.concatenate([high, low]))
    above_H = (ranks[: len(high)] - rankdata(high)) / len(low)  # share of the low that each high exceeds
    below_L = 1 - (ranks[len(high) :] - rankdata(low)) / len(high)
    spread = sum(float(part.var(ddof=1)) / len(part) for part in (above_H, below_L) if len(part) > 1)
    return float(above_H.mean()), spread


def level_of(found: Measure) -> str:
    """ "warning" or "note" for a difference that is shown and large enough to matter; "" for none."""
    if found.low <= 0.5 or found.value <= WORTH_A_NOTE:
        return ""
    return "warning" if found.value > WORTH_A_WARNING else "note"
