"""L2-regularised softmax regression, fast enough to be fitted a hundred times: probes and heads.

L-BFGS on the same objective as scikit-learn's LogisticRegression, `C * sum of losses + |w|^2 / 2` with a
free intercept, in coordinates where the Hessian is nearly the identity: the leading directions of the
features, found once by a randomised SVD, are scaled by their own curvature and all others by the mean
curvature of the rest (after the randomised preconditioner of Frangella, Tropp & Udell 2021, arXiv
2110.02820), each class by its mean p(1-p). A preconditioner changes how fast, never where to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from warmstart.base.seeds import generator

DIRECTIONS = 32  # of 16, 32 and 64 the fastest from 100 x 1024 to 2000 x 768
EXTRA = 10  # further random directions, which make the leading ones sure
ITERATIONS = 500
LOOSE = 1e-4  # largest gradient (per row, scaled) that single precision reaches
Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Problem:
    """Scaled rows, their classes, and what preconditions the fit."""

    train_ND: Any  # an array; a sparse one serves as well
    truth_N: NDArray[np.int64]  # among the S classes that occur
    basis_DQ: Floats | None  # orthonormal, of large variance; None: the columns themselves, all of them
    curvature_Q: Floats  # mean square of the rows along each direction of the basis
    rest: float  # mean over all other directions
    intercept: bool = True  # may the first row of the weights be other than 0?

    @staticmethod
    def of(train_ND: Floats, truth_N: NDArray[np.int64], basis_DQ: Floats, intercept: bool = True) -> Problem:
        curvature_Q = np.square(train_ND @ basis_DQ).mean(0)
        others = max(1, basis_DQ.shape[0] - basis_DQ.shape[1])
        varied = float(train_ND.any(0).sum())  # columns of mean square 1: their sum is the trace
        rest = max(0.0, varied - float(curvature_Q.sum())) / others
        return Problem(train_ND, truth_N, basis_DQ, curvature_Q, rest, intercept)

    @staticmethod
    def turned(train_ND: Floats, truth_N: NDArray[np.int64]) -> Problem:
        """Of rows along their principal directions, whose curvature is measured where a fit begins."""
        return Problem(train_ND, truth_N, None, np.zeros(0), 0.0)


def leading_directions(features_ND: Floats) -> Floats:
    """D x Q orthonormal directions of largest variance: a randomised search for the range, two power steps.

    Halko, Martinsson & Tropp 2011, arXiv 0909.4061, algorithms 4.4 and 5.1.
    """
    wanted = min(DIRECTIONS, *features_ND.shape)
    random = generator(0, "leading-directions")
    guess_DQ = random.standard_normal((features_ND.shape[1], min(wanted + EXTRA, features_ND.shape[1])))
    basis_DQ = np.linalg.qr(guess_DQ.astype(features_ND.dtype))[0]
    for _ in range(3):
        basis_DQ = np.linalg.qr(features_ND.T @ (features_ND @ basis_DQ))[0]
    turn_QQ = np.linalg.svd(features_ND @ basis_DQ, full_matrices=False)[2].T
    found_DQ: Floats = (basis_DQ @ turn_QQ)[:, :wanted]
    return found_DQ


def standardise(train_ND: Floats, held_MD: Floats) -> tuple[Floats, Floats]:
    """Both by mean and deviation of the training rows; columns constant there become 0 in training.

    As StandardScaler does, with its bound for "constant but for rounding", in either precision.
    """
    rows, eps = len(train_ND), float(np.finfo(train_ND.dtype).eps)
    mean_D = train_ND.mean(0)
    centred_ND = train_ND - mean_D
    variance_D = np.einsum("nd,nd->d", centred_ND, centred_ND) / rows
    constant_D = variance_D <= rows * eps * variance_D + np.square(rows * mean_D * eps)
    centred_ND[:, constant_D] = 0
    deviation_D = np.sqrt(np.where(constant_D, 1, variance_D))
    centred_ND /= deviation_D
    return centred_ND, (held_MD - mean_D) / deviation_D


@dataclass(frozen=True, eq=False)
class Solution:
    """Weights (1 + D) x S, the intercept first, and whether the search came to its end."""

    weights: Floats
    converged: bool


def solve(problem: Problem, C: float, start: Floats | None = None, tolerance: float = LOOSE) -> Solution:
    """The weights that minimise the objective.

    `C` is scikit-learn's: larger is less penalty. `start` are weights of the same problem (another C, or
    another precision). Stops where no scaled derivative of the mean loss exceeds `tolerance`, in the
    precision of the features, or after 500 iterations: an unfinished fit is still judged out of fold.
    """
    train_ND = problem.train_ND
    strength = (
        2 if len(np.unique(problem.truth_N)) == 2 else 1
    )  # two classes are one vector, shared in halves
    ridge = strength / (C * train_ND.shape[0])
    weights = _frequencies(problem) if start is None else start.astype(train_ND.dtype)
    scale = _Scale.at(problem, weights, ridge)

    def loss(scaled: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = scale.times(scaled.reshape(weights_shape).astype(train_ND.dtype))
        gaps_NS, mean_loss = _gaps(problem, weights)
        gradient = np.empty_like(weights)
        gradient[0] = gaps_NS.sum(0) if problem.intercept else 0
        gradient[1:] = train_ND.T @ gaps_NS + ridge * weights[1:]
        value = mean_loss + ridge / 2 * float(np.vdot(weights[1:], weights[1:]))
        return value, scale.times(gradient).ravel().astype(np.float64)

    weights_shape = weights.shape
    begin = scale.divided(weights).ravel().astype(np.float64)
    found = minimize(
        loss,
        begin,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": ITERATIONS, "gtol": tolerance, "ftol": 10 * float(np.finfo(train_ND.dtype).eps)},
    )
    return Solution(scale.times(found.x.reshape(weights_shape).astype(train_ND.dtype)), bool(found.success))


def _frequencies(problem: Problem) -> Floats:
    """Weights that answer every row with the class frequencies, if they can: where the path begins."""
    counts_S = np.bincount(problem.truth_N)
    weights = np.zeros((1 + problem.train_ND.shape[1], len(counts_S)), problem.train_ND.dtype)
    if problem.intercept:
        weights[0] = np.log(counts_S / counts_S.sum())
    return weights


def _gaps(problem: Problem, weights: Floats) -> tuple[Floats, float]:
    """((probabilities - truth) / N, mean loss) of the training rows."""
    p_NS, losses_N = _probabilities(problem, weights)
    rows = len(p_NS)
    p_NS[np.arange(rows), problem.truth_N] -= 1
    p_NS /= rows
    return p_NS, float(losses_N.mean(dtype=np.float64))


def _probabilities(problem: Problem, weights: Floats) -> tuple[Floats, Floats]:
    """(N x S probabilities, N losses) of the training rows, in place: this is the hot spot."""
    logits_NS = problem.train_ND @ weights[1:]
    logits_NS += weights[0]
    logits_NS -= logits_NS.max(1, keepdims=True)
    right_N = logits_NS[np.arange(len(logits_NS)), problem.truth_N]
    p_NS = np.exp(logits_NS, out=logits_NS)
    sums_N1 = p_NS.sum(1, keepdims=True)
    p_NS /= sums_N1
    return p_NS, np.log(sums_N1[:, 0]) - right_N


@dataclass(frozen=True, eq=False)
class _Scale:
    """The symmetric square root of the inverse of an approximate Hessian, one for each class."""

    basis_DQ: Floats | None
    intercept_S: Floats
    along_QS: Floats  # factor along each direction of the basis
    across_S: Floats  # factor of everything orthogonal to the basis

    @staticmethod
    def at(problem: Problem, weights: Floats, ridge: float) -> _Scale:
        """At these weights: each class has its mean p(1-p), each direction its curvature.

        Where the directions are the columns themselves it is the diagonal of the Hessian.
        """
        p_NS, _ = _probabilities(problem, weights)
        sharp_NS = p_NS * (1 - p_NS)
        sharpness_S = np.maximum(sharp_NS.mean(0), 1e-6)
        curvature_QS = problem.curvature_Q[:, None] * sharpness_S
        if problem.basis_DQ is None:
            curvature_QS = np.square(problem.train_ND).T @ sharp_NS / len(sharp_NS)
        along_QS = (curvature_QS + ridge) ** -0.5
        across_S = (problem.rest * sharpness_S + ridge) ** -0.5
        kind = weights.dtype
        return _Scale(
            problem.basis_DQ, (sharpness_S**-0.5).astype(kind), along_QS.astype(kind), across_S.astype(kind)
        )

    def times(self, weights: Floats) -> Floats:
        return self._scaled(weights, self.intercept_S, self.along_QS, self.across_S)

    def divided(self, weights: Floats) -> Floats:
        return self._scaled(weights, 1 / self.intercept_S, 1 / self.along_QS, 1 / self.across_S)

    def _scaled(self, weights: Floats, intercept_S: Floats, along_QS: Floats, across_S: Floats) -> Floats:
        scaled = np.empty_like(weights)
        scaled[0] = weights[0] * intercept_S
        if self.basis_DQ is None:
            scaled[1:] = weights[1:] * along_QS
            return scaled
        scaled[1:] = self.basis_DQ @ ((along_QS - across_S) * (self.basis_DQ.T @ weights[1:]))
        scaled[1:] += weights[1:] * across_S
        return scaled
