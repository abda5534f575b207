"""What short trainings answered to the rows that judge, and how two of them are compared.

Short trainings are too sure of themselves or not sure enough, each in its own way, which is no fault of the
candidate. One temperature each, fitted to the rows that judge, takes that away and changes no answer (Guo et
al. 2017, arXiv 1706.04599): one number for hundreds of rows, the same freedom for all.

One training is one draw of many, which rows cannot show: intervals are wider by the root of 1 + judged /
learned rows (Nadeau and Bengio 2003, Machine Learning 52), as those of the scores are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Lap, Measure, Scored
from warmstart.select.scores._scoring import Folds, bootstrap

TEMPERATURES = (-3.0, 3.0)  # logarithms; beyond lies only what is sure of nothing, or of everything
LEAST = 1e-12  # probability

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)  # holds arrays: the same only as itself
class Answers:
    """What a short training answered to N rows, the same rows in every lap."""

    truth_N: NDArray[np.int64]
    probabilities_NC: Floats
    seconds: float


@dataclass(frozen=True, eq=False)
class Ran:
    """A candidate after a lap."""

    scored: Scored
    rows: int  # that it learned from
    losses_N: Floats  # nats
    hits_N: Floats  # 1 where it answered right
    seconds: float

    @property
    def name(self) -> str:
        return self.scored.candidate.name

    @property
    def source(self) -> str:
        return self.scored.candidate.source

    @property
    def parameters(self) -> int:
        return self.scored.candidate.parameters

    @property
    def loss(self) -> float:
        return float(self.losses_N.mean())

    @property
    def accuracy(self) -> float:
        return float(self.hits_N.mean())

    def __str__(self) -> str:
        return f"{self.name} {self.loss:.3f} ({self.accuracy:.1%} right)"


@dataclass(frozen=True, eq=False)
class Judges:
    """The rows that judge: the same draws of them, or of their groups, for all comparisons."""

    folds: Folds

    def lap(self, ran: Ran, leader: Ran) -> Lap:
        return Lap(
            rows=ran.rows,
            accuracy=self.measure("accuracy", ran.hits_N, ran.rows),
            log_loss=self.measure("log_loss", ran.losses_N, ran.rows),
            behind=None if ran is leader else self.behind(ran, leader),
            seconds=ran.seconds,
        )

    def behind(self, ran: Ran, other: Ran) -> Measure:
        """Its log-loss minus the other's."""
        return self.measure("log_loss", ran.losses_N - other.losses_N, ran.rows, ", paired")

    def ahead(self, ran: Ran, other: Ran) -> Measure:
        """Its accuracy minus the other's."""
        return self.measure("accuracy", ran.hits_N - other.hits_N, ran.rows, ", paired")

    def measure(self, name: str, rows_N: Floats, learned: int, paired: str = "") -> Measure:
        """The mean with its interval over rows, or groups, widened for being of one training."""
        value, wide = float(rows_N.mean()), sqrt(1 + len(rows_N) / learned)
        low, high = (value + wide * (end - value) for end in bootstrap(rows_N, self.folds))
        how = f"95 % bootstrap over {len(rows_N)} rows, {wide:.2f} x for one training{paired}"
        return Measure(name, value, low, high, len(rows_N), how)


def ran(scored: Scored, rows: int, answers: Answers) -> Ran:
    losses_N = tempered_losses(answers.truth_N, answers.probabilities_NC)
    hits_N = (answers.probabilities_NC.argmax(1) == answers.truth_N).astype(np.float64)
    return Ran(scored, rows, losses_N, hits_N, answers.seconds)


def tempered_losses(truth_N: NDArray[np.int64], probabilities_NC: Floats) -> Floats:
    """Log-loss of each row, nats, at the one temperature at which their mean is lowest."""
    from scipy.optimize import minimize_scalar

    logits_NC = np.log(np.maximum(probabilities_NC, LEAST))

    def losses(log_temperature: float) -> Floats:
        cooled_NC = logits_NC / np.exp(log_temperature)
        cooled_NC -= cooled_NC.max(1, keepdims=True)
        found: Floats = np.log(np.exp(cooled_NC).sum(1)) - cooled_NC[np.arange(len(truth_N)), truth_N]
        return found

    lowest = minimize_scalar(lambda t: float(losses(t).mean()), bounds=TEMPERATURES, method="bounded")
    return losses(float(lowest.x))


def best_first(heat: Iterable[Ran]) -> list[Ran]:
    return sorted(heat, key=lambda ran: (ran.loss, -ran.accuracy, ran.parameters, ran.source))


def best(heat: Iterable[Ran]) -> Ran:
    return best_first(heat)[0]
