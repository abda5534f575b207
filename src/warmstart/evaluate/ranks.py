"""How well a number tells two kinds of rows apart: the area under the ROC curve with DeLong's interval.

DeLong, DeLong and Clarke-Pearson (1988, Biometrics 44:837), by ranks as Sun and Xu (2014, IEEE Signal
Processing Letters 21:1389). The interval is made on the scale of the logit, so that it stays within 0 and 1.
"""

from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from warmstart.evaluate.intervals import Z, wilson

Floats = NDArray[np.float64]


def auc(low_M: Floats, high_N: Floats) -> tuple[float, float]:
    """(chance that one of `high` is above one of `low`, ties half; its variance by DeLong)."""
    m, n = len(low_M), len(high_N)
    both = midranks(np.concatenate([low_M, high_N]))
    above_M = 1 - (both[:m] - midranks(low_M)) / n  # of each low one: share of the high ones above it
    below_N = (both[m:] - midranks(high_N)) / m
    variance = sum(float(v.var(ddof=1)) / len(v) if len(v) > 1 else 0.25 for v in (above_M, below_N))
    return float(below_N.mean()), variance


def midranks(values_N: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values_N), np.float64)


def auc_interval(area: float, variance: float, fewest: int) -> tuple[float, float]:
    """95 % interval; where nothing varies, that of a share of the smaller side's rows (Wilson)."""
    if variance <= 0 or not 0 < area < 1:
        return wilson(area * fewest, fewest)
    half = Z * sqrt(variance) / (area * (1 - area))
    centre = log(area / (1 - area))
    return logistic(centre - half), logistic(centre + half)


def logistic(value: float) -> float:
    return 1 / (1 + exp(-max(-700.0, min(700.0, value))))
