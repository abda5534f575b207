"""Regularised Fisher discriminant: Gaussian classes of one shrunk covariance (Shao 2022, arXiv 2207.03036).

The paper projects on the directions that maximise (scatter between) / (shrunk scatter within), and compares
distances there. The directions that it leaves out have the same distance to every class mean, so that the
probabilities are those of the whole space, and no generalised eigenproblem is solved for them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigvalsh

STEEPNESS = 5.0  # of the shrinkage exp(-5 x largest eigenvalue of the scatter within)
FLOOR = 1e-10  # of that eigenvalue is added at least, so that wide scatter has an inverse


@dataclass(frozen=True, eq=False)
class Groups:
    """N rows of C classes, their class means and the scatter around them."""

    codes_N: NDArray[np.int64]
    counts_C: NDArray[np.int64]
    means_CD: NDArray[np.float64]
    within_DD: NDArray[np.float64]  # a mean over rows

    @staticmethod
    def of(rows_ND: NDArray[np.float64], labels_N: NDArray[np.int64]) -> "Groups":
        _, codes_N, counts_C = np.unique(labels_N, return_inverse=True, return_counts=True)
        means_CD = (codes_N == np.arange(len(counts_C))[:, None]).astype(np.float64) @ rows_ND
        means_CD /= counts_C[:, None]
        apart_ND = rows_ND - means_CD[codes_N]
        return Groups(codes_N, counts_C, means_CD, apart_ND.T @ apart_ND / len(rows_ND))


@dataclass(frozen=True)
class Shrinkage:
    """(1 - share) S + ridge I. The share is the paper's; the ridge is at least what an inverse needs."""

    share: float
    ridge: float

    @staticmethod
    def of(within_DD: NDArray[np.float64]) -> "Shrinkage":
        last = len(within_DD) - 1
        largest = max(0.0, float(eigvalsh(within_DD, subset_by_index=[last, last])[0]))
        share = float(np.exp(-STEEPNESS * largest))
        return Shrinkage(share, max(share, FLOOR * largest))

    def applied(self, within_DD: NDArray[np.float64]) -> NDArray[np.float64]:
        return (1 - self.share) * within_DD + self.ridge * np.eye(len(within_DD))


def probabilities(rows_ND: NDArray[np.float64], groups: Groups, shrinkage: Shrinkage) -> NDArray[np.float64]:
    """N x C: Bayes' rule with the frequencies of the classes and the shrunk covariance."""
    shrunk_DD = shrinkage.applied(groups.within_DD)
    weights_DC = cho_solve(cho_factor(shrunk_DD, lower=True), groups.means_CD.T)
    lengths_C = np.einsum("cd,dc->c", groups.means_CD, weights_DC)
    logits_NC = rows_ND @ weights_DC - lengths_C / 2 + np.log(groups.counts_C / len(rows_ND))
    logits_NC -= logits_NC.max(1, keepdims=True)
    shares_NC = np.exp(logits_NC)
    right_NC: NDArray[np.float64] = shares_NC / shares_NC.sum(1, keepdims=True)
    return right_NC
