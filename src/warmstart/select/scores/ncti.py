"""NCTI: how near are the features to the neural collapse in which training ends? (Wang 2023, ICCV)"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._discriminant import Groups, Shrinkage, probabilities
from warmstart.select.scores._rotation import principal
from warmstart.select.scores._scoring import Folds, Parts, Scoring, of_pool, parts_of

ALIKE = 1e-12  # deviation, of the largest number, that is only rounding


@dataclass(frozen=True)
class Ncti:
    """Sum of three numbers, each standardised over the candidates: there is no score of a candidate alone.

    Of rows on their first `directions` principal components: the nuclear norm of their projection on a Fisher
    discriminant; the mean probability that it gives the right class; minus the logarithm of the nuclear norms
    of the probabilities of the rows of each class, added up. Shrinkage as in SFDA.

    A caution, never the default: the value changes with the company that a candidate is in (one of two that
    is better in all three has 3, whatever lies between), and it is in-sample. Cutting to 64 directions makes
    widths alike, so that wide noise is seen through, but not among narrower candidates: at 100 rows it
    prefers 1024 features of pure noise to 16 that tell the classes, in every draw of ours.
    """

    directions: int = 64

    relative: ClassVar[bool] = True
    caution: ClassVar[str] = (
        "in-sample and relative: at 100 rows it prefers wide noise to few features that tell the classes, "
        "and a value changes with the other candidates"
    )

    def __post_init__(self) -> None:
        if self.directions < 1:
            raise WarmstartError(f"directions = {self.directions}", "give at least 1", "wrong-value")

    def parts(self, features_ND: NDArray[np.floating], labels_N: NDArray[np.int64], folds: Folds) -> Parts:
        """The three numbers of one candidate, of all rows and without each fold."""
        return parts_of(self.measure, np.asarray(features_ND, dtype=np.float64), labels_N, folds)

    def together(self, pool: Sequence[Parts]) -> list[Scoring]:
        """Values in standard deviations of the pool of M, at most 3 (M - 1)^(1/2); jackknife over folds."""
        return of_pool(combined, pool)

    def measure(self, features_ND: NDArray[np.float64], labels_N: NDArray[np.int64]) -> list[float]:
        rows_NQ = principal(features_ND, most=self.directions)
        if not rows_NQ.shape[1]:
            rows_NQ = np.zeros((len(rows_NQ), 1))
        groups = Groups.of(rows_NQ, labels_N)
        shrinkage = Shrinkage.of(groups.within_DD)
        shares_NC = probabilities(rows_NQ, groups, shrinkage)
        spread = sum(nuclear(shares_NC[groups.codes_N == c]) for c in range(len(groups.counts_C)))
        right = float(shares_NC[np.arange(len(shares_NC)), groups.codes_N].mean())
        return [nuclear(projected(rows_NQ, groups, shrinkage)), right, -float(np.log(spread))]


def projected(rows_NQ: NDArray[np.float64], groups: Groups, shrinkage: Shrinkage) -> NDArray[np.float64]:
    """N x (C - 1): rows along the directions of largest scatter between for their shrunk scatter within."""
    columns = rows_NQ.shape[1]
    count = min(columns, len(groups.counts_C) - 1)
    weighted_CQ = groups.means_CD * np.sqrt(groups.counts_C / len(rows_NQ))[:, None]
    _, directions_QQ = eigh(weighted_CQ.T @ weighted_CQ, shrinkage.applied(groups.within_DD))
    return rows_NQ @ directions_QQ[:, columns - count :]


def nuclear(matrix: NDArray[np.float64]) -> float:
    """The sum of the singular values."""
    return float(np.linalg.svd(matrix, compute_uv=False).sum()) if matrix.size else 0.0


def combined(parts_MP: NDArray[np.float64]) -> NDArray[np.float64]:
    """M values: each number standardised over the candidates, then added up; what all share adds nothing."""
    apart_MP = parts_MP - parts_MP.mean(0)
    deviation_P = np.sqrt(np.square(apart_MP).mean(0))
    alike_P = deviation_P <= ALIKE * np.abs(parts_MP).max(0)
    total_M: NDArray[np.float64] = (apart_MP / np.where(alike_P, np.inf, deviation_P)).sum(1)
    return total_M


SCORE = Ncti
