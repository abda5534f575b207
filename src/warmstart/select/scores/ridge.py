"""Ridge: how much of a real-valued target do the frozen features explain, out of fold? (Hoerl & Kennard 1970)

The penalty of each fold is the one with the smallest generalised cross-validation error (Golub, Heath & Wahba
1979, Technometrics 21) of the fold's training rows: one decomposition serves all penalties. What is reported
is measured on the rows held out, so that the choice cannot flatter it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.models.softmax import standardise
from warmstart.select.scores._asks import NUMBERS
from warmstart.select.scores._scoring import Folds, Scoring, of_ratio

ROUNDING = 1e-14  # of the largest squared singular value, times the features: smaller ones are not there


@dataclass(frozen=True)
class Ridge:
    """Out-of-fold R2 of ridge regression on standardised features: 1 - errors / squares about the mean.

    The mean is that of the fold's training rows, so that knowing nothing is worth 0. A penalty is that of
    |y - F w|^2 / N + penalty |w|^2. `Ridge(penalties=(0.1,))` chooses nothing.
    """

    penalties: tuple[float, ...] = tuple(10.0**power for power in range(-4, 5))

    judges: ClassVar[str] = NUMBERS

    def __post_init__(self) -> None:
        if not self.penalties or not 0 < min(self.penalties) <= max(self.penalties) < np.inf:
            raise WarmstartError(f"penalties = {self.penalties}", "give numbers above 0", "wrong-value")

    def score(
        self, features_ND: NDArray[np.floating], targets_N: NDArray[np.floating], folds: Folds
    ) -> Scoring:
        """Value at most 1, below 0 where the mean is better; `chosen` holds the median penalty.

        Interval by a bootstrap over rows. Raises WarmstartError where targets are not finite or all the same.
        """
        wide_ND, wanted_N = features_ND.astype(np.float64), targets_N.astype(np.float64)
        refuse(wanted_N)
        errors_N, about_N = np.zeros(folds.rows), np.zeros(folds.rows)
        chosen = []
        for train, test in folds.splits():
            fit = Fit.of(wide_ND[train], wanted_N[train], wide_ND[test])
            best = fit.best(self.penalties)
            errors_N[test] += np.square(wanted_N[test] - fit.answers(best))
            about_N[test] += np.square(wanted_N[test] - fit.mean)
            chosen.append(best)
        median = sorted(chosen)[(len(chosen) - 1) // 2]
        return of_ratio(about_N - errors_N, about_N, folds, {"penalty": median})


@dataclass(frozen=True, eq=False)
class Fit:
    """N training rows by R directions of their own, the targets along them, and M rows to answer."""

    squares_R: NDArray[np.float64]  # squared singular values
    along_R: NDArray[np.float64]  # targets along the left singular vectors
    rest: float  # squares of the targets outside them
    held_MR: NDArray[np.float64]  # rows to answer along the right singular vectors, per singular value
    mean: float
    rows: int

    @staticmethod
    def of(
        train_ND: NDArray[np.float64], targets_N: NDArray[np.float64], held_MD: NDArray[np.float64]
    ) -> "Fit":
        """From the smaller of F F' and F' F."""
        rows_ND, test_MD = standardise(train_ND, held_MD)
        mean = float(targets_N.mean())
        apart_N = targets_N - mean
        wide = rows_ND.shape[0] < rows_ND.shape[1]
        squares_R, turn_RR = np.linalg.eigh(rows_ND @ rows_ND.T if wide else rows_ND.T @ rows_ND)
        there = squares_R > ROUNDING * max(rows_ND.shape) * squares_R.max(initial=0.0)
        squares_R, turn_RR = squares_R[there], turn_RR[:, there]
        if wide:
            along_R, held_MR = turn_RR.T @ apart_N, test_MD @ (rows_ND.T @ turn_RR) / squares_R
        else:
            roots_R = np.sqrt(squares_R)
            along_R, held_MR = turn_RR.T @ (rows_ND.T @ apart_N) / roots_R, test_MD @ turn_RR / roots_R
        rest = max(0.0, float(apart_N @ apart_N - along_R @ along_R))
        return Fit(squares_R, along_R, rest, held_MR, mean, len(train_ND))

    def kept(self, penalty: float) -> NDArray[np.float64]:
        """R shares that a penalty leaves of each direction."""
        shares_R: NDArray[np.float64] = self.squares_R / (self.squares_R + penalty * self.rows)
        return shares_R

    def answers(self, penalty: float) -> NDArray[np.float64]:
        """To the M rows."""
        said_M: NDArray[np.float64] = self.mean + self.held_MR @ (self.kept(penalty) * self.along_R)
        return said_M

    def best(self, penalties: Sequence[float]) -> float:
        """The penalty of smallest generalised cross-validation error; of equals the largest."""
        return min(sorted(penalties, reverse=True), key=self.validation_error)

    def validation_error(self, penalty: float) -> float:
        """Squared errors over the square of the rows that are left when directions and mean are paid for."""
        kept_R = self.kept(penalty)
        errors = self.rest + float(np.square((1 - kept_R) * self.along_R).sum())
        free = self.rows - 1 - float(kept_R.sum())
        return errors / free**2 if free > 0 else np.inf


def refuse(targets_N: NDArray[np.float64]) -> None:
    if not np.isfinite(targets_N).all():
        row = int(np.flatnonzero(~np.isfinite(targets_N))[0])
        raise WarmstartError(
            f"the target of row {row} is {targets_N[row]}", "give finite numbers", "wrong-value"
        )
    if not np.ptp(targets_N):
        raise WarmstartError(
            f"all {len(targets_N)} rows have the target {targets_N[0]:g}",
            "give rows that differ",
            "one-target",
        )


SCORE = Ridge
