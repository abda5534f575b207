"""The logistic regression of a floor: its penalty is chosen inside the folds, and its optimum is exact.

Where there are more columns than rows, only inner products of rows matter (the representer theorem, Kimeldorf
& Wahba 1971): with X X' = L L' the rows of L have the inner products of those of X, so the regression on the
square L gives the same answers. For words that is ten times as fast as X itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from warmstart.models.softmax import Floats, Problem, Solution, leading_directions, solve

if TYPE_CHECKING:
    from warmstart.floors._floor import Floor, Matrix

Tests = Sequence[NDArray[np.int64]]  # the held-out rows of each fold

SQUARE = 4000  # rows up to which the products of all pairs are made
BALLAST = 1e-9  # on their diagonal: rows may be the same
TOLERANCE = 1e-5  # largest scaled derivative of the mean loss: log-likelihoods to 1e-5 nats
FEW = 500  # rows of training up to which answers out of fold are so exact, too; else to 1e-3 nats


@dataclass(frozen=True, eq=False)
class Answers:
    """What a floor says of rows that its folds held out."""

    rows_N: NDArray[np.float64]  # log-likelihood of each row, mean over repeats
    hits_N: NDArray[np.float64]  # share of repeats in which it was right
    penalty: float  # scikit-learn's C that was chosen, the median over folds


@dataclass(frozen=True, eq=False)
class Fitted:
    """A floor learned from some rows and asked about all."""

    probabilities_NC: NDArray[np.float64]
    weights: int
    converged: bool


@dataclass(frozen=True, eq=False)
class Lesson:
    """Training rows of a regression, and which of C classes occur in them."""

    train_ND: Any  # as the floor weighed them
    root_NN: NDArray[np.float64] | None  # L, where it stands for these rows
    truth_N: NDArray[np.int64]
    seen_C: NDArray[np.bool_]

    @staticmethod
    def of(train_ND: Matrix, truth_N: NDArray[np.int64], classes: int) -> Lesson:
        """Learn class numbers 0 .. classes - 1, not all of which need occur."""
        seen_C = np.asarray(np.bincount(truth_N, minlength=classes) > 0)
        return Lesson(train_ND, root(train_ND), truth_N, seen_C)

    def problem(self, kind: type[np.floating]) -> Problem:
        """The regression in single or double precision; its columns need not be standardised."""
        rows = (self.train_ND if self.root_NN is None else self.root_NN).astype(kind)
        basis_KQ = leading_directions(rows)
        curvature_Q = np.square(rows @ basis_KQ).mean(0)
        squares = rows * rows if isinstance(rows, np.ndarray) else rows.multiply(rows)
        left = float(squares.sum()) / len(self.truth_N) - float(curvature_Q.sum())
        rest = max(0.0, left) / max(1, basis_KQ.shape[0] - basis_KQ.shape[1])
        return Problem(rows, (np.cumsum(self.seen_C) - 1)[self.truth_N], basis_KQ, curvature_Q, rest)

    def solved(self, penalty: float, exact: bool = True) -> Solution:
        """In single precision most of the way; in double to the end, which takes three times as long."""
        rough = solve(self.problem(np.float32), penalty)
        return solve(self.problem(np.float64), penalty, rough.weights, TOLERANCE) if exact else rough

    def logs(self, weights: Floats, asked_MD: Any) -> NDArray[np.float64]:
        """M x C log-probabilities; a class not seen in training gets Laplace's 1 / (N + C)."""
        logits_MS = asked_MD @ self.columns(weights[1:].astype(np.float64)) + weights[0]
        logits_MS -= logits_MS.max(1, keepdims=True)
        logits_MS -= np.log(np.exp(logits_MS).sum(1, keepdims=True))
        unseen, total = int((~self.seen_C).sum()), len(self.truth_N) + len(self.seen_C)
        logs_MC = np.full((len(logits_MS), len(self.seen_C)), -np.log(total))
        logs_MC[:, self.seen_C] = logits_MS + np.log1p(-unseen / total)
        return logs_MC

    def columns(self, weights_KS: NDArray[np.float64]) -> NDArray[np.float64]:
        """What these weights of the problem's rows are for the columns of X: X' L'^-1 w."""
        from scipy.linalg import solve_triangular

        if self.root_NN is None:
            return weights_KS
        shares_NS = solve_triangular(self.root_NN, weights_KS, lower=True, trans="T", check_finite=False)
        columns_DS: NDArray[np.float64] = self.train_ND.T @ shares_NS
        return columns_DS


def root(train_ND: Matrix) -> NDArray[np.float64] | None:
    """L with X X' = L L', where that is smaller than X; for sparse rows up to SQUARE always."""
    from scipy.linalg import cholesky

    rows, columns = train_ND.shape
    if isinstance(train_ND, np.ndarray) and columns <= rows or rows > SQUARE:
        return None
    products = train_ND @ train_ND.T
    products_NN = products if isinstance(products, np.ndarray) else products.toarray()
    products_NN[np.diag_indices(rows)] += BALLAST * max(1.0, float(np.diag(products_NN).mean()))
    found: NDArray[np.float64] = cholesky(products_NN, lower=True, check_finite=False)
    return found


def out_of_fold(
    floor: Floor, raw_ND: Matrix, labels_N: NDArray[np.int64], repeats: Sequence[Tests]
) -> Answers:
    """Each row answered by a floor of other rows, which chose its penalty among themselves."""
    rows = Rows(floor, raw_ND, np.unique(labels_N, return_inverse=True)[1])
    rows_N, hits_N = np.zeros(len(labels_N)), np.zeros(len(labels_N))
    chosen: list[float] = []
    for tests in repeats:
        picks = choose(rows, tests)
        for test, penalty in zip(tests, picks, strict=True):
            lesson, asked_MD = rows.without(test)
            logs_MC = lesson.logs(lesson.solved(penalty, exact=len(lesson.truth_N) <= FEW).weights, asked_MD)
            rows_N[test] += logs_MC[np.arange(len(test)), rows.codes_N[test]]
            hits_N[test] += logs_MC.argmax(1) == rows.codes_N[test]
        chosen += picks
    times = len(repeats)
    return Answers(rows_N / times, hits_N / times, sorted(chosen)[(len(chosen) - 1) // 2])


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that a floor has read, and their class numbers 0 .. C - 1."""

    floor: Floor
    raw_ND: Matrix
    codes_N: NDArray[np.int64]

    def without(self, *held: NDArray[np.int64]) -> tuple[Lesson, Matrix]:
        """What is learned from all rows but those held, and these as the others weigh them."""
        asked = np.concatenate(held)
        train = np.setdiff1d(np.arange(len(self.codes_N)), asked)
        x_ND = self.floor.weighed(self.raw_ND, train)
        return Lesson.of(x_ND[train], self.codes_N[train], int(self.codes_N.max()) + 1), x_ND[asked]


def choose(rows: Rows, tests: Tests) -> list[float]:
    """The penalty for each fold that answers best on another fold, learned from neither of the two.

    One model serves two folds: each of the pair judges for the other. With an odd number the last has the
    first judge for it. Two folds leave nothing to learn from: then the middle of the grid is taken.
    """
    grid, count = sorted(rows.floor.penalties), len(tests)
    if len(grid) == 1 or count < 3:
        return [grid[(len(grid) - 1) // 2]] * count
    picks = [0] * count
    for one in range(0, count, 2):
        other = (one + 1) % count
        mine, theirs = path(rows, grid, tests[one], tests[other])
        picks[one] = int(theirs.argmax())
        picks[other] = picks[other] if other < one else int(mine.argmax())
    return [grid[pick] for pick in picks]


def path(
    rows: Rows, grid: Sequence[float], one: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Log-likelihood (2 x grid) of both folds by floors of all further rows, from strong to weak penalty.

    Where a weaker penalty is worse for both, all still weaker ones are given its value unfitted.
    """
    truth_M, found = rows.codes_N[np.concatenate([one, other])], np.empty((0, 2))
    lesson, asked_MD = rows.without(one, other)
    problem, weights = lesson.problem(np.float32), None
    for penalty in grid:
        weights = solve(problem, penalty, weights).weights
        right_M = lesson.logs(weights, asked_MD)[np.arange(len(truth_M)), truth_M]
        found = np.vstack([found, (right_M[: len(one)].sum(), right_M[len(one) :].sum())])
        if len(found) > 1 and (found[-1] < found[-2]).all():
            break
    return np.vstack([found, *[found[-1:]] * (len(grid) - len(found))]).T


def fit(
    floor: Floor,
    raw_ND: Matrix,
    train: NDArray[np.int64],
    truth_N: NDArray[np.int64],
    classes: int,
    penalty: float,
) -> Fitted:
    """A floor of the rows `train`, whose class numbers are `truth_N`, asked about all rows."""
    x_ND = floor.weighed(raw_ND, train)
    lesson = Lesson.of(x_ND[train], truth_N, classes)
    solution = lesson.solved(penalty)
    probabilities_NC = np.exp(lesson.logs(solution.weights, x_ND))
    probabilities_NC /= probabilities_NC.sum(1, keepdims=True)
    size = (x_ND.shape[1] + 1) * int(lesson.seen_C.sum())
    return Fitted(probabilities_NC, size, solution.converged)
