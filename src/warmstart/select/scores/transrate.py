"""TransRate: how much shorter are rows to write once classes are known? (Huang 2022, arXiv 2106.09362)"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._scoring import Folds, Scoring, of_whole


@dataclass(frozen=True)
class TransRate:
    """R(F) - mean over classes of R(F_c), with R(F) = log det(I + F' F / (n epsilon)) / 2 of centred rows.

    A caution, never the default. It is in-sample and grows with the number of features, whatever they are: in
    our draws it prefers 1024 features of pure noise to 128 that tell the classes, at 100, 300 and 1000 rows.
    Rows of a class keep their distance from the mean of all, as in the paper, so that it is blind to two
    classes of like size, however far apart they lie. It is only to be read among candidates of the same width
    and scale.
    """

    epsilon: float = 1e-4  # square of the distortion that is allowed

    caution: ClassVar[str] = (
        "in-sample: it grows with the number of features, and prefers wide noise to "
        "narrow features that tell the classes"
    )

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < np.inf:
            raise WarmstartError(f"epsilon = {self.epsilon}", "give a number above 0", "wrong-value")

    def score(self, features_ND: NDArray[np.floating], labels_N: NDArray[np.int64], folds: Folds) -> Scoring:
        """Value in nats, unbounded; interval by a jackknife over the folds."""
        return of_whole(self.reduction, np.asarray(features_ND, dtype=np.float64), labels_N, folds)

    def reduction(self, features_ND: NDArray[np.float64], labels_N: NDArray[np.int64]) -> float:
        centred_ND = features_ND - features_ND.mean(0)
        within = [self.rate(centred_ND[labels_N == c]) for c in np.unique(labels_N)]
        return self.rate(centred_ND) - float(np.mean(within))

    def rate(self, rows_ND: NDArray[np.float64]) -> float:
        """R, from the smaller of F F' and F' F: the determinant is the same (Sylvester)."""
        rows, columns = rows_ND.shape
        gram = rows_ND @ rows_ND.T if rows < columns else rows_ND.T @ rows_ND
        return float(np.linalg.slogdet(np.eye(len(gram)) + gram / (rows * self.epsilon))[1]) / 2


SCORE = TransRate
