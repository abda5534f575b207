"""LogME as published: the fixed-point code in common use, with the term that it lacks where rows are few.

thuml/LogME, `_fit_fixed_point` (You et al. 2022, JMLR 23), and with it transformer-ranker 0.2.0: of
log(alpha + beta sigma) only the min(N, D) singular values are summed, so that (D - N)/2 log(alpha) is missing
where N < D. Here for comparison only; the product's LogME is exact (warmstart/select/scores/logme.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ITERATIONS = 11
CHANGE = 1e-3  # of alpha / beta, at which it is called fixed
EPSILON = 1e-5
NOTHING = 1e-10  # singular values below it are left out


@dataclass(frozen=True, eq=False)
class Turn:
    """Where the iteration stopped: precisions, squared length of the weights, squared rest of the target."""

    alpha: float
    beta: float
    weights: float
    rest: float


def logme_published(features_ND: NDArray[np.floating], labels_N: NDArray[np.int64]) -> float:
    """Mean over classes, each against the rest, of what that code calls the evidence per row."""
    left_NK, values_K, _ = np.linalg.svd(np.asarray(features_ND, np.float64), full_matrices=False)
    kept_K = values_K > NOTHING
    left_NK, sigma_K = left_NK[:, kept_K], values_K[kept_K] ** 2
    columns = features_ND.shape[1]
    targets = [(labels_N == label).astype(np.float64) for label in np.unique(labels_N)]
    return float(np.mean([evidence(left_NK, sigma_K, target_N, columns)[0] for target_N in targets]))


def evidence(
    left_NK: NDArray[np.float64], sigma_K: NDArray[np.float64], target_N: NDArray[np.float64], columns: int
) -> tuple[float, Turn]:
    """What is called the evidence of one target, per row, and where the iteration stopped."""
    rows = len(target_N)
    turn = fixed_point(sigma_K, (left_NK.T @ target_N) ** 2, float(target_N @ target_N), rows)
    volume = np.log(turn.alpha + turn.beta * sigma_K).sum()  # here (D - K) log(alpha) should be added
    logs = columns * np.log(turn.alpha) + rows * np.log(turn.beta) - volume - rows * np.log(2 * np.pi)
    return float(logs - turn.beta * turn.rest - turn.alpha * turn.weights) / 2 / rows, turn


def fixed_point(
    sigma_K: NDArray[np.float64], squares_K: NDArray[np.float64], length: float, rows: int
) -> Turn:
    """At most eleven turns; `length` is the squared length of the target."""
    turn = Turn(1.0, 1.0, 0.0, 0.0)
    for _ in range(ITERATIONS):
        t = turn.alpha / turn.beta
        gamma = float((sigma_K / (sigma_K + t)).sum())
        weights = float((sigma_K * squares_K / (t + sigma_K) ** 2).sum())
        rest = float((squares_K / (1 + sigma_K / t) ** 2).sum()) + length - float(squares_K.sum())
        turn = Turn(gamma / (weights + EPSILON), (rows - gamma) / (rest + EPSILON), weights, rest)
        if abs(turn.alpha / turn.beta - t) / t <= CHANGE:
            break
    return turn
