"""SFDA: how sure is a discriminant of rows that were made harder to tell? (Shao 2022, arXiv 2207.03036)"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from warmstart.select.scores._discriminant import Groups, Shrinkage, probabilities
from warmstart.select.scores._rotation import narrow
from warmstart.select.scores._scoring import Folds, Scoring, of_whole


@dataclass(frozen=True)
class Sfda:
    """Mean probability of the right class by a discriminant of rows moved towards the other classes.

    Each row is mixed with the mean of all rows of other classes: it keeps the share that a first discriminant
    gave to its own class (ConfMix). The second has the shrinkage of the first, and the scatter is a mean over
    rows. The largest eigenvalue is exact where the authors' code takes three power steps, and the mean is of
    probabilities, as there.

    A caution, never the default: it is in-sample, so that wide features answer every row. In our draws it
    prefers 1024 features of pure noise to 128 that tell the classes, at 100, 300 and 1000 rows. The scale of
    the features sets the shrinkage, so that it is only to be read among candidates of the same scale.
    """

    caution: ClassVar[str] = (
        "in-sample: wide features answer every row, so that it prefers wide noise to "
        "narrow features that tell the classes"
    )

    def score(self, features_ND: NDArray[np.floating], labels_N: NDArray[np.int64], folds: Folds) -> Scoring:
        """Value 0 to 1; interval by a jackknife over the folds."""
        return of_whole(_sfda, np.asarray(features_ND, dtype=np.float64), labels_N, folds)


def _sfda(features_ND: NDArray[np.float64], labels_N: NDArray[np.int64]) -> float:
    rows_NR = narrow(features_ND)
    groups = Groups.of(rows_NR, labels_N)
    shrinkage = Shrinkage.of(groups.within_DD)
    sure_N = _right(probabilities(rows_NR, groups, shrinkage), groups)
    mixed_NR = sure_N[:, None] * rows_NR + (1 - sure_N[:, None]) * _others(groups)[groups.codes_N]
    mixed = Groups.of(mixed_NR, labels_N)
    return float(_right(probabilities(mixed_NR, mixed, shrinkage), mixed).mean())


def _right(shares_NC: NDArray[np.float64], groups: Groups) -> NDArray[np.float64]:
    right_N: NDArray[np.float64] = shares_NC[np.arange(len(shares_NC)), groups.codes_N]
    return right_N


def _others(groups: Groups) -> NDArray[np.float64]:
    """C x R: the mean of all rows that are not of the class; where there are none, of no account."""
    sums_CR = groups.means_CD * groups.counts_C[:, None]
    left_C = groups.counts_C.sum() - groups.counts_C
    others_CR: NDArray[np.float64] = (sums_CR.sum(0) - sums_CR) / np.maximum(left_C, 1)[:, None]
    return others_CR


SCORE = Sfda
