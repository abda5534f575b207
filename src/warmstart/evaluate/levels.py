"""Two levels of doubt: test rows and seeds. Rows are never counted once for each seed.

Every seed's model answers the same rows, so rows and seeds are crossed, and the variance of a mean over both
is that of rows, plus that of seeds, less what both count: their interaction (the components of a two-way
layout; Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics 1:386). An interval on both levels
adds the squares of the distances from the value to the ends of two intervals, that of rows (whatever form it
has) and Student's t over seeds (Zou and Donner 2008, Statistics in Medicine 27:1693, as Newcombe does for two
shares). Few seeds say little of all others: t multiplies by 12.7 with 2 seeds, 4.3 with 3, 2.8 with 5.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from warmstart.evaluate.intervals import LEVEL, Z
from warmstart.evaluate.significance import POWER

Floats = NDArray[np.float64]
AGREE_FROM = 5  # seeds from which their signs can show anything


def seeds_variance(values_S: Sequence[float], rows: float, each: float) -> float:
    """The variance that the seeds add to the mean of their values.

    `rows` is the variance over rows of that mean, `each` the mean over seeds of that of a single value.
    """
    count = len(values_S)
    both = max(0.0, (each - rows) / (count - 1))
    return max(0.0, float(np.var(values_S, ddof=1)) / count - both)


def on_both(value: float, low: float, high: float, seeds: float, count: int) -> tuple[float, float]:
    """The interval of rows, widened by the variance that `count` seeds add."""
    from scipy.special import stdtrit

    reach = float(stdtrit(count - 1, (1 + LEVEL) / 2)) * sqrt(seeds)
    return value - sqrt((value - low) ** 2 + reach**2), value + sqrt((high - value) ** 2 + reach**2)


def both_p(value: float, low: float, high: float, seeds: float, count: int) -> float:
    """Two-sided p of no difference: the level at which the interval on both levels would end at 0."""
    from scipy.optimize import brentq
    from scipy.special import ndtri, stdtrit

    error = (value - low if value > 0 else high - value) / Z

    def lack(p: float) -> float:
        return float(abs(value) - sqrt((ndtri(p / 2) * error) ** 2 + stdtrit(count - 1, p / 2) ** 2 * seeds))

    least = 1e-12
    return least if lack(least) > 0 else float(brentq(lack, least, 1.0))


def paired_t(values_S: Sequence[float]) -> float:
    """Student's two-sided p that the mean over all seeds is 0; of values that do not vary, 0 (or 1 at 0)."""
    from scipy.special import stdtr

    mean, spread = float(np.mean(values_S)), float(np.std(values_S, ddof=1))
    if spread <= 1e-12 * max(1.0, abs(mean)):
        return 0.0 if abs(mean) > 1e-12 else 1.0
    return 2 * float(stdtr(len(values_S) - 1, -abs(mean) / spread * sqrt(len(values_S))))


def sign_flip(values_S: Sequence[float]) -> float:
    """Exact one-sided p that the values lean to no side: the share of all signs whose sum is as high.

    If a seed's value were as likely to have the other sign, all 2^S signs would be equally likely. So S seeds
    show at best 1/2^S: 1/8 with 3, 1/32 with 5, and then only if all five are positive. Two-sided it would be
    twice that, 0.0625 with 5: never below 0.05 under 6 seeds.
    """
    sums = np.zeros(1)
    for value in values_S:
        sums = np.concatenate([sums + value, sums - value])
    seen = float(np.sum(values_S))
    return float((sums >= seen - 1e-9 * float(np.abs(values_S).sum())).mean())


def detectable_t(spread: float, count: int) -> float:
    """The smallest true mean that a t over `count` values of this spread shows four times in five."""
    from scipy.optimize import brentq
    from scipy.special import nctdtr, stdtrit

    df = count - 1
    limit = float(stdtrit(df, (1 + LEVEL) / 2))
    shift = float(brentq(lambda d: 1 - nctdtr(df, d, limit) - POWER, 0.1, 4 * limit))
    return shift * spread / sqrt(count)
