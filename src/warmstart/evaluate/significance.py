"""Is it chance? p-values for two runs on the same rows, corrected for many; and what the rows can show."""

from collections.abc import Mapping
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALPHA = 0.05
POWER = 0.8
Z_ALPHA = NormalDist().inv_cdf(1 - ALPHA / 2)
Z_POWER = NormalDist().inv_cdf(POWER)


def mcnemar(won: int, lost: int) -> float:
    """McNemar's two-sided mid-p (Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91).

    `won` rows only the first run answers right, `lost` only the second; if the runs were equally good, won
    would be Binomial(won + lost, 1/2). Twice the smaller tail, with half the weight of what was seen.
    """
    from scipy.special import bdtr

    total, fewer = won + lost, min(won, lost)
    below = float(bdtr(fewer - 1, total, 0.5)) if fewer else 0.0
    return float(bdtr(fewer, total, 0.5)) + below


def bootstrap_p(difference_B: Floats) -> float:
    """Two-sided p of no difference: twice the share of the rarer sign among the draws, in (0, 1]."""
    low, high = int((difference_B <= 0).sum()), int((difference_B >= 0).sum())
    return min(1.0, 2 * (min(low, high) + 1) / (len(difference_B) + 1))


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """p-values corrected for being many: the chance that any misleads stays as stated (Holm 1979)."""
    corrected, largest = {}, 0.0
    for place, name in enumerate(sorted(p, key=lambda name: p[name])):
        largest = max(largest, min(1.0, (len(p) - place) * p[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in p}


def detectable_share(discordance: float, n: int) -> float:
    """The smallest true difference of two accuracies that n rows show at p < 0.05 four times in five.

    Solves Connor's sample size for paired shares (1987, Biometrics 43:207) for the difference d: n d^2 =
    (1.96 sqrt(q) + 0.84 sqrt(q - d^2))^2. q is the share of rows that one run answers right and the other
    wrong, as seen (`discordance`); it is never below d, since a difference of d needs that many such rows.
    Neither the seen difference nor its sign enters. 1.0 where n rows are too few to show any difference.
    """
    from scipy.optimize import brentq

    def lack(d: float) -> float:
        q = max(discordance, d)
        return Z_ALPHA * sqrt(q) + Z_POWER * sqrt(max(0.0, q - d * d)) - d * sqrt(n)

    return 1.0 if lack(1.0) >= 0 else float(brentq(lack, 1e-12, 1.0))


def detectable_mean(difference_B: Floats) -> float:
    """The same for any metric: 2.8 standard errors of the difference, taken from its bootstrap draws."""
    return float((Z_ALPHA + Z_POWER) * difference_B.std())
