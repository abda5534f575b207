"""NLEEP: LEEP by way of clusters of the features, which needs no trained head (Li 2021, arXiv 2011.11200)."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._rotation import principal
from warmstart.select.scores._scoring import Folds, Scoring, of_whole
from warmstart.select.scores.leep import leep

FLOOR = 1e-6  # of the mean variance, added to that of each component: scikit-learn's, but for any scale
SEED = 0  # of where the search for the clusters begins


@dataclass(frozen=True)
class NLeep:
    """LEEP of the responsibilities of a Gaussian mixture, with full covariances, on principal components.

    There are `ratio` components a class, and as many directions as hold `energy` of the variance. The
    logarithm is kept, as in the paper; code in common use drops it. A caution, never the default: it is
    in-sample, and where there are no more rows than components each has one to itself, so that even noise
    scores 0, the best there is. It is by far the slowest score.
    """

    ratio: int = 5
    energy: float = 0.8

    caution: ClassVar[str] = (
        "in-sample: where there are no more rows than clusters, even noise has the best score"
    )

    def __post_init__(self) -> None:
        if self.ratio < 1:
            raise WarmstartError(f"ratio = {self.ratio}", "give at least 1", "wrong-value")
        if not 0 < self.energy < 1:
            raise WarmstartError(f"energy = {self.energy}", "give a share between 0 and 1", "wrong-value")

    def score(self, features_ND: NDArray[np.floating], labels_N: NDArray[np.int64], folds: Folds) -> Scoring:
        """Value in nats per row, at most 0; interval by a jackknife over the folds.

        The clusters know no labels and are found once, from all rows; the jackknife leaves rows out of the
        table of clusters and classes alone.
        """
        wide_ND = np.asarray(features_ND, dtype=np.float64)
        return of_whole(leep, self.clusters(wide_ND, len(np.unique(labels_N))), labels_N, folds)

    def clusters(self, features_ND: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
        """N x K responsibilities, K = ratio x classes, but no more than there are rows."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        rows_NQ = principal(features_ND, energy=self.energy)
        if not rows_NQ.shape[1]:
            return np.ones((len(rows_NQ), 1))
        mixture = GaussianMixture(
            min(self.ratio * classes, len(rows_NQ)),
            reg_covar=FLOOR * float(rows_NQ.var(0).mean()),
            random_state=SEED,
        )
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ConvergenceWarning
            )  # the last step is as good as any to read from
            found_NK: NDArray[np.float64] = mixture.fit(rows_NQ).predict_proba(rows_NQ)
        return found_NK


SCORE = NLeep
