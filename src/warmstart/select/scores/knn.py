"""Nearest neighbours: do rows of a class lie together? (beat 23 scores in Sorkhei 2025, arXiv 2503.18528)"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.models.softmax import Floats, standardise
from warmstart.select.scores._scoring import Folds, Scoring, of_rows

DECIMALS = 10  # cosines and votes that agree this far are equal: rounding must not break ties


@dataclass(frozen=True)
class NearestNeighbours:
    """Out-of-fold accuracy of the majority of the k nearest training rows by cosine, features standardised.

    Training rows at the same distance as the k-th share its remaining votes, so that row order cannot
    matter; between classes with equal votes the smaller class number wins, as in scikit-learn.
    """

    neighbours: int = 5

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise WarmstartError(f"neighbours = {self.neighbours}", "give at least 1", "wrong-value")

    def score(self, features_ND: NDArray[np.floating], labels_N: NDArray[np.int64], folds: Folds) -> Scoring:
        """Share of rows answered right, 0 to 1."""
        features_ND = np.asarray(features_ND, dtype=np.float64)
        classes_C, codes_N = np.unique(labels_N, return_inverse=True)
        onehot_NC = np.eye(len(classes_C))[codes_N]
        hits_N = np.zeros(len(codes_N))
        for train, test in folds.splits():
            train_ND, test_MD = standardise(features_ND[train], features_ND[test])
            cosines_MN = _directions(test_MD) @ _directions(train_ND).T
            votes_MC = self._weights(cosines_MN.round(DECIMALS)) @ onehot_NC[train]
            hits_N[test] += votes_MC.round(DECIMALS).argmax(1) == codes_N[test]
        hits_N /= len(folds.tests)
        return of_rows(hits_N, hits_N, folds)

    def _weights(self, cosines_MN: Floats) -> NDArray[np.float64]:
        """1 for rows nearer than the k-th, a share of the remaining votes for those level with it."""
        k = min(self.neighbours, cosines_MN.shape[1])
        kth_M1 = np.partition(cosines_MN, -k, axis=1)[:, -k, None]
        nearer_MN, level_MN = cosines_MN > kth_M1, cosines_MN == kth_M1
        left_M1 = k - nearer_MN.sum(1, keepdims=True)
        weights_MN: NDArray[np.float64] = nearer_MN + level_MN * (left_M1 / level_MN.sum(1, keepdims=True))
        return weights_MN


def _directions(features_ND: Floats) -> Floats:
    """Rows of length 1; a row of zeros stays zero and is level with everything."""
    length_N1 = np.linalg.norm(features_ND, axis=1, keepdims=True)
    return features_ND / np.where(length_N1 == 0, 1.0, length_N1)


SCORE = NearestNeighbours
