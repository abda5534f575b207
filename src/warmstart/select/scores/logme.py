"""LogME: the largest log-evidence of a Bayesian linear regression on each class (You 2021, arXiv 2102.11005).

The evidence is exact for every shape. The fixed-point code in common use (You et al. 2022, JMLR) sums
log(alpha + beta sigma) over min(N, D) singular values only, and so lacks (D - N)/2 log(alpha) where N < D:
there it ranks noise first. Here alpha and beta are not iterated: with t = alpha / beta fixed the best beta
has a closed form, and the evidence is then maximised over the one number t.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmstart.select.scores._scoring import Folds, Scoring, of_whole

SMALLEST, LARGEST = 1e-12, 1e8  # range of t in units of the largest squared singular value
COARSE, FINE, ROUNDS = 47, 11, 6  # points of the first scan (one nat apart), of each zoom, and zooms


@dataclass(frozen=True, eq=False)
class Evidence:
    """The maximum for each of C targets, per row, and where it is: y = F w + e, w ~ 1/alpha, e ~ 1/beta."""

    per_row_C: NDArray[np.float64]
    alpha_C: NDArray[np.float64]
    beta_C: NDArray[np.float64]


@dataclass(frozen=True)
class LogME:
    """Mean over classes (one against the rest) of the maximised log-evidence per row. In-sample."""

    def score(self, features_ND: NDArray[np.floating], labels_N: NDArray[np.int64], folds: Folds) -> Scoring:
        """Value in nats per row, unbounded; interval by a jackknife over the folds."""
        return of_whole(_logme, np.asarray(features_ND, dtype=np.float64), labels_N, folds)


def _logme(features_ND: NDArray[np.float64], labels_N: NDArray[np.int64]) -> float:
    targets_NC = (labels_N[:, None] == np.unique(labels_N)).astype(np.float64)
    return float(maximise(features_ND, targets_NC).per_row_C.mean())


def maximise(features_ND: NDArray[np.float64], targets_NC: NDArray[np.float64]) -> Evidence:
    """The largest evidence of each target over alpha, beta > 0 (t within 1e-12 .. 1e8 of the largest sigma).

    The bounds matter only at the rims: t -> infinity is "no signal", t -> 0 a perfect fit, whose evidence
    has no upper bound where N > D.
    """
    sigma_R, squares_RC, rest_C = _spectrum(features_ND, targets_NC)
    rows = len(features_ND)
    scale = float(sigma_R.max(initial=0.0)) or 1.0
    logs_G = np.linspace(np.log(SMALLEST * scale), np.log(LARGEST * scale), COARSE)
    logs_GC = np.repeat(logs_G[:, None], targets_NC.shape[1], 1)
    step = float(logs_G[1] - logs_G[0])
    for _ in range(1 + ROUNDS):
        values_GC = np.stack([_profile(np.exp(g), sigma_R, squares_RC, rest_C, rows)[0] for g in logs_GC])
        best_C = np.take_along_axis(logs_GC, values_GC.argmax(0)[None], 0)[0]
        logs_GC = best_C + np.linspace(-step, step, FINE)[:, None]
        step *= 2 / (FINE - 1)
    ratio_C = np.exp(best_C)
    value_C, beta_C = _profile(ratio_C, sigma_R, squares_RC, rest_C, rows)
    return Evidence(value_C / rows, ratio_C * beta_C, beta_C)


def _profile(
    ratio_C: NDArray[np.float64],
    sigma_R: NDArray[np.float64],
    squares_RC: NDArray[np.float64],
    rest_C: NDArray[np.float64],
    rows: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(log-evidence, best beta) at t = alpha / beta, where y ~ N(0, (I + F F' / t) / beta)."""
    quadratic_C = (squares_RC * (ratio_C / (ratio_C + sigma_R[:, None]))).sum(0) + rest_C
    beta_C = rows / quadratic_C
    volume_C = np.log1p(sigma_R[:, None] / ratio_C).sum(0)
    return rows / 2 * (np.log(beta_C) - 1 - np.log(2 * np.pi)) - volume_C / 2, beta_C


def _spectrum(
    features_ND: NDArray[np.float64], targets_NC: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(squared singular values, squared projections of the targets onto them, what is left of the targets).

    From the smaller of F F' and F' F. Directions that rounding alone made (below 1e-14 of the largest) are
    dropped where F' F is used, because there the projection divides by them.
    """
    rows, columns = features_ND.shape
    if rows <= columns:
        sigma_N, left_NN = np.linalg.eigh(features_ND @ features_ND.T)
        return np.maximum(sigma_N, 0.0), np.square(left_NN.T @ targets_NC), np.zeros(targets_NC.shape[1])
    sigma_R, right_DR = np.linalg.eigh(features_ND.T @ features_ND)
    kept = sigma_R > 1e-14 * columns * sigma_R.max(initial=0.0)
    sigma_R, right_DR = sigma_R[kept], right_DR[:, kept]
    squares_RC = np.square(right_DR.T @ (features_ND.T @ targets_NC)) / sigma_R[:, None]
    return sigma_R, squares_RC, np.maximum(np.square(targets_NC).sum(0) - squares_RC.sum(0), 0.0)


SCORE = LogME
