"""Shrinkage H-score: variance of class means over Ledoit-Wolf covariance (Ibrahim, arXiv 2110.06893)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve

from warmstart.select.scores._scoring import Folds, Scoring, of_whole


@dataclass(frozen=True)
class HScore:
    """tr(S^-1 (1 - a) B): B the covariance of class means, S = (1 - a) cov + a tr(cov)/D I, a by Ledoit-Wolf.

    In-sample: with fewer than about 300 rows of wide features it can prefer noise, so it is an opinion only.
    """

    def score(self, features_ND: NDArray[np.floating], labels_N: NDArray[np.int64], folds: Folds) -> Scoring:
        """From 0 to at most C - 1; interval by a jackknife over the folds. Covariances divide by N."""
        return of_whole(_h_score, np.asarray(features_ND, dtype=np.float64), labels_N, folds)


def _h_score(features_ND: NDArray[np.float64], labels_N: NDArray[np.int64]) -> float:
    """Computed from the smaller of F F' and F' F; the two are equal by the Woodbury identity."""
    centred_ND = features_ND - features_ND.mean(0)
    rows, columns = centred_ND.shape
    wide = rows < columns
    gram = (centred_ND @ centred_ND.T if wide else centred_ND.T @ centred_ND) / rows
    variance = float(np.trace(gram)) / columns
    if variance == 0:
        return 0.0
    shrinkage = max(ledoit_wolf(centred_ND, gram), 1e-10)  # never quite 0: the covariance may be singular
    average_CN = _class_averages(labels_N)
    shrunk = (1 - shrinkage) * gram + shrinkage * variance * np.eye(len(gram))
    if wide:
        inner = average_CN @ gram * rows
        between = inner @ solve(shrunk, average_CN.T, assume_a="pos")
    else:
        means_CD = average_CN @ centred_ND
        between = means_CD @ solve(shrunk, means_CD.T, assume_a="pos")
    return float((1 - shrinkage) * np.trace(between))


def ledoit_wolf(centred_ND: NDArray[np.float64], gram: NDArray[np.float64]) -> float:
    """The Ledoit-Wolf shrinkage of centred rows, 0 to 1; `gram` is F F'/N or F' F/N (of equal norm)."""
    rows, columns = centred_ND.shape
    squares, trace = float(np.square(gram).sum()), float(np.trace(gram))
    fourth = float(np.square(np.square(centred_ND).sum(1)).mean())
    noise, spread = (fourth - squares) / rows, squares - trace**2 / columns
    return 0.0 if noise <= 0 else min(noise / spread, 1.0) if spread > 0 else 1.0


def _class_averages(labels_N: NDArray[np.int64]) -> NDArray[np.float64]:
    """C x N: row c averages the rows of class c, times the square root of the class's share."""
    member_CN = (labels_N == np.unique(labels_N)[:, None]).astype(np.float64)
    average_CN: NDArray[np.float64] = member_CN / np.sqrt(member_CN.sum(1, keepdims=True) * len(labels_N))
    return average_CN


SCORE = HScore
