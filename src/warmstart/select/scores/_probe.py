"""A linear probe on folds: standardised by its training rows alone, its answers to the rows held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmstart.models.softmax import Floats, Problem, leading_directions, standardise
from warmstart.select.scores._folds import rows_without


@dataclass(frozen=True, eq=False)
class Fold:
    """What is learned without some rows, these rows, and which classes occur in training."""

    problem: Problem
    held_MD: Floats
    seen_C: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Data:
    """Standardised features and class numbers 0 .. C-1 of all rows, and what preconditions every fit."""

    features_ND: Floats  # standardised by all rows, which leaves no trace when a fold does it again
    codes_N: NDArray[np.int64]
    basis_DQ: Floats  # of largest variance; may know the held-out rows, as it moves no optimum

    @staticmethod
    def of(features_ND: Floats, labels_N: NDArray[np.int64]) -> Data:
        features_ND = features_ND.astype(np.float64)
        features_ND, _ = standardise(features_ND, features_ND[:0])
        basis_DQ = leading_directions(features_ND.astype(np.float32))
        _, codes_N = np.unique(labels_N, return_inverse=True)
        return Data(features_ND, codes_N, basis_DQ.astype(np.float64))

    def single(self) -> Data:
        """The same in single precision."""
        return Data(self.features_ND.astype(np.float32), self.codes_N, self.basis_DQ.astype(np.float32))

    def fold(self, held: NDArray[np.int64]) -> Fold:
        """Learn from all rows but `held`, standardised by those rows alone."""
        train = rows_without(len(self.codes_N), held)
        train_ND, held_MD = standardise(self.features_ND[train], self.features_ND[held])
        seen_C = np.asarray(np.bincount(self.codes_N[train], minlength=self.codes_N.max() + 1) > 0)
        truth_N = (np.cumsum(seen_C) - 1)[self.codes_N[train]]
        return Fold(Problem.of(train_ND, truth_N, self.basis_DQ), held_MD, seen_C)

    def right(self, logs_MC: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """What these log-probabilities of `rows` give to the right class."""
        right_M: NDArray[np.float64] = logs_MC[np.arange(len(rows)), self.codes_N[rows]]
        return right_M


def log_probabilities(fold: Fold, weights: Floats) -> NDArray[np.float64]:
    """M x C for the held-out rows; a class not seen in training gets Laplace's 1 / (N + C)."""
    logits_MS = (fold.held_MD @ weights[1:] + weights[0]).astype(np.float64)
    logits_MS -= logits_MS.max(1, keepdims=True)
    logits_MS -= np.log(np.exp(logits_MS).sum(1, keepdims=True))
    unseen, total = int((~fold.seen_C).sum()), len(fold.problem.train_ND) + len(fold.seen_C)
    answers_MC = np.full((len(logits_MS), len(fold.seen_C)), -np.log(total))
    answers_MC[:, fold.seen_C] = logits_MS + np.log1p(-unseen / total)
    return answers_MC
