"""Out-of-fold log-likelihood of a linear probe: how well do the frozen features already answer? (the default)

The penalty is chosen by strictly nested cross-validation. Letting the reported score choose its own penalty
flatters it (by 0.01 to 0.04 nats at 40 to 200 rows in our simulations), and so does, by about half as much,
the cheaper choice by the other folds' out-of-fold scores, whose models have seen the fold they choose for.
Nesting is affordable because a model trained without folds j and k serves twice: fold j judges the penalty
for fold k and fold k judges it for fold j, so 5 folds need 10 inner paths instead of 20. With more than 500
rows three are enough: one fold of them tells penalties a decade apart.

All columns are divided by one number, the root of their mean variance, and not each by its own deviation.
A column that hardly moves among a few training rows would be blown up by that, so that a held-out row in
which it does move is answered wrongly and surely: single rows cost up to 47 nats and ruled the mean. The
scales of a network's features are also part of what it has learned, as inner products within it read them.
The regression then depends on inner products alone, so that one turn of the rows serves all folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.models.softmax import LOOSE, solve
from warmstart.select.scores._probe import Data, log_probabilities
from warmstart.select.scores._scoring import Folds, Scoring, of_rows

FEW = 500  # rows up to which every other fold judges a fold's penalty, and answers are as exact as was asked
ENOUGH = 1e-5  # tolerance beyond it: rows to 0.005 nats, their mean to 0.00002


@dataclass(frozen=True, eq=False)  # holds arrays: the same only as itself
class OutOfFold:
    """What probes say of rows that they have not seen."""

    rows_N: NDArray[np.float64]  # log-likelihood of the label
    hits_N: NDArray[np.float64]  # share of repeats in which it was the likeliest
    probabilities_NC: NDArray[np.float64]  # for the classes that occur, in ascending order
    chosen: float  # median of the chosen C


@dataclass(frozen=True)
class LogisticProbe:
    """Mean out-of-fold log-likelihood per row (nats) of L2 softmax regression on features of one scale.

    LogisticProbe(penalties=(0.01,)) chooses nothing. Only two folds leave nothing to choose with: then the
    middle of the grid is taken. `answers` without intervals; `score` with.
    """

    penalties: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0)  # the grid of scikit-learn's C: larger is freer
    tolerance: float = 1e-6  # largest scaled derivative; above 1e-4 single precision is enough

    def __post_init__(self) -> None:
        if not self.penalties or min(self.penalties) <= 0:
            raise WarmstartError(f"penalties = {self.penalties}", "give numbers above 0", "wrong-value")

    def score(self, features_ND: NDArray[np.floating], labels_N: NDArray[np.int64], folds: Folds) -> Scoring:
        """Value in nats, at most 0; `hits_N` are the answers that were right; `chosen` holds the median C."""
        rows_N, hits_N, median = self.answers(features_ND, labels_N, folds)
        return of_rows(rows_N, hits_N, folds, {"C": median})

    def answers(
        self, features_ND: NDArray[np.floating], labels_N: NDArray[np.int64], folds: Folds
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """(log-likelihood of each row, share of repeats in which it was right, median of the chosen C)."""
        said = self.out_of_fold(features_ND, labels_N, folds)
        return said.rows_N, said.hits_N, said.chosen

    def out_of_fold(
        self, features_ND: NDArray[np.floating], labels_N: NDArray[np.int64], folds: Folds
    ) -> OutOfFold:
        """What is said of each row by a probe that has not seen it; means over the repeats."""
        data = Data.of(features_ND, labels_N)
        single = data.single()
        rows_N, hits_N = np.zeros(folds.rows), np.zeros(folds.rows)
        shares_NC = np.zeros((folds.rows, int(data.codes_N.max()) + 1))
        chosen: list[float] = []
        for tests in folds.tests:
            picks = self._choose(single, tests)
            for test, C in zip(tests, picks, strict=True):
                logs_MC = self._answer(data, single, test, C)
                rows_N[test] += data.right(logs_MC, test)
                hits_N[test] += logs_MC.argmax(1) == data.codes_N[test]
                shares_NC[test] += np.exp(logs_MC)
            chosen += picks
        times, middle = len(folds.tests), sorted(chosen)[(len(chosen) - 1) // 2]
        return OutOfFold(rows_N / times, hits_N / times, shares_NC / times, middle)

    def _answer(self, data: Data, single: Data, test: NDArray[np.int64], C: float) -> NDArray[np.float64]:
        """Log-probabilities of the test rows: in single precision first, then on to the tolerance."""
        rough = single.fold(test)
        weights = solve(rough.problem, C, tolerance=max(LOOSE, self.tolerance)).weights
        if self.tolerance >= LOOSE:
            return log_probabilities(rough, weights)
        fold = data.fold(test)
        exact = self.tolerance if len(data.codes_N) <= FEW else max(ENOUGH, self.tolerance)
        return log_probabilities(fold, solve(fold.problem, C, weights, exact).weights)

    def _choose(self, data: Data, tests: Sequence[NDArray[np.int64]]) -> list[float]:
        """The C for each fold that answers best inside the fold's own training rows; ties to the smaller."""
        grid = sorted(self.penalties)
        count = len(tests)
        if len(grid) == 1 or count < 3:
            return [grid[(len(grid) - 1) // 2]] * count
        total_KP = np.zeros((count, len(grid)))
        couples = ((k, (k + 1) % count) for k in range(0, count, 2))
        for j, k in combinations(range(count), 2) if len(data.codes_N) <= FEW else couples:
            total_KP[[k, j]] += _path(data, tests[j], tests[k], grid)
        return [grid[best] for best in total_KP.argmax(1)]


def _path(
    data: Data, one: NDArray[np.int64], other: NDArray[np.int64], grid: Sequence[float]
) -> NDArray[np.float64]:
    """Log-likelihood (2 x grid) of one fold and of the other by a model of all further folds.

    Every fit starts from the stronger penalty's. Where a weaker penalty is worse for both folds, all still
    weaker ones are given its value unfitted: they would be worse yet, so they cannot be wronged.
    """
    fold = data.fold(np.concatenate([one, other]))
    weights, path = None, []
    for C in grid:
        weights = solve(fold.problem, C, weights).weights
        logs_MC = log_probabilities(fold, weights)
        halves = (logs_MC[: len(one)], one), (logs_MC[len(one) :], other)
        path.append([data.right(logs, rows).sum() for logs, rows in halves])
        if len(path) > 1 and all(now < before for now, before in zip(path[-1], path[-2], strict=True)):
            break
    return np.array(path + path[-1:] * (len(grid) - len(path))).T


SCORE = LogisticProbe
