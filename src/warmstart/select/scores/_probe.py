"""A linear probe on folds: on the scale of its training rows alone, its answers to the rows held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmstart.models.softmax import Floats, Problem
from warmstart.select.scores._folds import rows_without
from warmstart.select.scores._rotation import principal


@dataclass(frozen=True, eq=False)
class Fold:
    """What is learned without some rows, these rows, and which classes occur in training."""

    problem: Problem
    held_MD: Floats
    seen_C: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Data:
    """All rows along their principal directions, and their class numbers 0 .. C-1.

    A turn changes neither the penalty nor an inner product, so one serves all folds: R is at most the
    smaller of N and D, and the directions precondition every fit. They may know the held-out rows, as they
    move no optimum.
    """

    rows_NR: Floats
    codes_N: NDArray[np.int64]
    columns: int  # D, of the features

    @staticmethod
    def of(features_ND: Floats, labels_N: NDArray[np.int64]) -> Data:
        rows_NR = principal(features_ND.astype(np.float64))
        if not rows_NR.shape[1]:
            rows_NR = np.zeros((len(rows_NR), 1))
        _, codes_N = np.unique(labels_N, return_inverse=True)
        return Data(rows_NR, codes_N, features_ND.shape[1])

    def single(self) -> Data:
        """The same in single precision."""
        return Data(self.rows_NR.astype(np.float32), self.codes_N, self.columns)

    def fold(self, held: NDArray[np.int64]) -> Fold:
        """Learn from all rows but `held`, on the scale of those rows alone."""
        train = rows_without(len(self.codes_N), held)
        train_NR, held_MR = rescaled(self.rows_NR[train], self.rows_NR[held], self.columns)
        seen_C = np.asarray(np.bincount(self.codes_N[train], minlength=self.codes_N.max() + 1) > 0)
        truth_N = (np.cumsum(seen_C) - 1)[self.codes_N[train]]
        return Fold(Problem.turned(train_NR, truth_N), held_MR, seen_C)

    def right(self, logs_MC: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """What these log-probabilities of `rows` give to the right class."""
        right_M: NDArray[np.float64] = logs_MC[np.arange(len(rows)), self.codes_N[rows]]
        return right_M


def rescaled(train_NR: Floats, held_MR: Floats, columns: int) -> tuple[Floats, Floats]:
    """Both about the mean of the training rows, which have variance 1 in the mean over D columns."""
    mean_R = train_NR.mean(0)
    train_NR = train_NR - mean_R
    scale = float(np.sqrt(np.square(train_NR).sum(dtype=np.float64) / len(train_NR) / columns)) or 1.0
    return train_NR / train_NR.dtype.type(scale), (held_MR - mean_R) / train_NR.dtype.type(scale)


def log_probabilities(fold: Fold, weights: Floats) -> NDArray[np.float64]:
    """M x C for the held-out rows; a class not seen in training gets Laplace's 1 / (N + C)."""
    logits_MS = (fold.held_MD @ weights[1:] + weights[0]).astype(np.float64)
    logits_MS -= logits_MS.max(1, keepdims=True)
    logits_MS -= np.log(np.exp(logits_MS).sum(1, keepdims=True))
    unseen, total = int((~fold.seen_C).sum()), len(fold.problem.train_ND) + len(fold.seen_C)
    answers_MC = np.full((len(logits_MS), len(fold.seen_C)), -np.log(total))
    answers_MC[:, fold.seen_C] = logits_MS + np.log1p(-unseen / total)
    return answers_MC
