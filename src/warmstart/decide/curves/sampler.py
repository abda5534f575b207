"""Draws from a posterior, and its evidence: a sequential Monte Carlo sampler (Del Moral, Doucet, Jasra 2006).

The draws begin as the prior, a standard normal, and the likelihood is turned on in steps just large enough
that half of the draws still count. It needs no starting point and no gradient, follows the bent ridge along
which an exponent and an asymptote trade, and the steps multiply up to the evidence that averages the forms.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

Floats = NDArray[np.float64]

MOVES = 5  # Metropolis moves after each step
LAST_MOVES = 10


def sample(
    log_likelihood: Callable[[Floats], Floats], parts: int, draws: int, rng: np.random.Generator
) -> tuple[Floats, float]:
    """Equally weighted draws (D x K) of K = `parts` numbers, a priori standard normal; the log evidence."""
    x_DK = rng.standard_normal((draws, parts))
    log_D = log_likelihood(x_DK)
    heat, evidence, reach = 0.0, 0.0, 1.0
    while heat < 1:
        step = next_step(log_D, 1 - heat)
        heat = heat + step if step < 1 - heat else 1.0
        evidence += float(logsumexp(step * log_D)) - np.log(draws)
        kept = resampled(step * log_D, rng)
        x_DK, log_D = x_DK[kept], log_D[kept]
        for _ in range(MOVES if heat < 1 else LAST_MOVES):
            x_DK, log_D, taken = moved(x_DK, log_D, log_likelihood, heat, reach, rng)
            reach = float(np.clip(reach * np.exp(taken - 0.3), 0.05, 2.0))
    return x_DK, evidence


def next_step(log_D: Floats, most: float) -> float:
    """How much more of the likelihood leaves half of the draws effective, at most `most`."""

    def effective(step: float) -> float:
        return float(np.exp(2 * logsumexp(step * log_D) - logsumexp(2 * step * log_D)))

    if effective(most) >= len(log_D) / 2:
        return most
    low, high = 0.0, most
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) >= len(log_D) / 2 else (low, middle)
    return high


def resampled(logs_D: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """Which draws go on, systematically (Kitagawa 1996): with as many copies as their weight asks."""
    weights_D = np.exp(logs_D - logsumexp(logs_D))
    places = (rng.random() + np.arange(len(logs_D))) / len(logs_D)
    return np.minimum(np.searchsorted(np.cumsum(weights_D), places), len(logs_D) - 1)


def moved(
    x_DK: Floats,
    log_D: Floats,
    log_likelihood: Callable[[Floats], Floats],
    heat: float,
    reach: float,
    rng: np.random.Generator,
) -> tuple[Floats, Floats, float]:
    """One Metropolis move of each draw, along the spread of all; the share that was taken."""
    spread_KK = np.atleast_2d(np.cov(x_DK.T)) + 1e-12 * np.eye(x_DK.shape[1])
    stride_KK = np.linalg.cholesky(spread_KK) * reach * 2.38 / np.sqrt(x_DK.shape[1])
    there_DK = x_DK + rng.standard_normal(x_DK.shape) @ stride_KK.T
    there_log_D = log_likelihood(there_DK)
    gain_D = heat * (there_log_D - log_D) + 0.5 * ((x_DK**2).sum(1) - (there_DK**2).sum(1))
    go_D = np.log(rng.random(len(x_DK))) < gain_D
    return np.where(go_D[:, None], there_DK, x_DK), np.where(go_D, there_log_D, log_D), float(go_D.mean())
