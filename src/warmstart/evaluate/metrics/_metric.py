"""What every metric offers: one number over predictions, and the same over many bootstrap draws at once."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Metric(ABC):
    """One number over predictions.

    N rows, C classes, B bootstrap draws. `truth_N` are class numbers, `probabilities_NC` sum to 1 in each
    row, `counts_BN` says how often each row is in each draw (no draw is empty).
    """

    title: ClassVar[str]  # in a sentence: "accuracy", "macro-F1"
    better: ClassVar[str]  # "higher" or "lower"
    unit: ClassVar[str]  # "points": a share, shown as per cent; "nats"; "" for a plain number
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)  # between which every value lies
    too_high: ClassVar[bool] = False  # with few rows, and on bootstrap draws once more

    margin: float = 0.01  # the smallest difference of practical interest, > 0

    def measure(self, truth_N: Ints, probabilities_NC: Floats) -> float:
        """The metric over all N > 0 rows, each counted once."""
        ones_1N = np.ones((1, len(truth_N)))
        return float(self.resampled(truth_N, probabilities_NC, ones_1N)[0])

    @abstractmethod
    def resampled(self, truth_N: Ints, probabilities_NC: Floats, counts_BN: Floats) -> Floats:
        """The metric of each of the B draws."""


@dataclass(frozen=True)
class RowMean(Metric):
    """A metric that is the mean of one value per row."""

    binomial: ClassVar[bool] = False  # every row's value is 0 or 1

    @abstractmethod
    def rows(self, truth_N: Ints, probabilities_NC: Floats) -> Floats:
        """The value of each row."""

    def resampled(self, truth_N: Ints, probabilities_NC: Floats, counts_BN: Floats) -> Floats:
        means_B: Floats = counts_BN @ self.rows(truth_N, probabilities_NC) / counts_BN.sum(1)
        return means_B


def truth_probability(truth_N: Ints, probabilities_NC: Floats) -> Floats:
    """The probability that each row's true class was given."""
    given_N: Floats = probabilities_NC[np.arange(len(truth_N)), truth_N]
    return given_N


def hits(truth_N: Ints, probabilities_NC: Floats) -> Floats:
    """1 where the most probable class (the first of equals) is the true one, else 0."""
    hits_N: Floats = (probabilities_NC.argmax(1) == truth_N).astype(np.float64)
    return hits_N


def class_totals(classes_N: Ints, values_N: Floats, counts_BN: Floats, size: int) -> Floats:
    """B x size: in each draw, the sum of the values of the rows of each class.

    A sparse product, so that a thousand classes cost no more than two.
    """
    from scipy.sparse import csr_array

    rows_N = np.arange(len(classes_N))
    member_CN = csr_array((values_N, (classes_N, rows_N)), shape=(size, len(classes_N)))
    return np.asarray(member_CN @ counts_BN.T, np.float64).T
