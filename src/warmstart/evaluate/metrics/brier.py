"""Brier score: squared distance between the probabilities and the truth (Brier 1950), all classes summed."""

from dataclasses import dataclass

from warmstart.evaluate.metrics._metric import Floats, Ints, RowMean, truth_probability


@dataclass(frozen=True)
class Brier(RowMean):
    """Mean over rows of sum over classes of (probability - truth)^2, 0 to 2: Brier's own, not half of it."""

    title = "Brier score"
    better = "lower"
    unit = ""
    bounds = (0.0, 2.0)

    def rows(self, truth_N: Ints, probabilities_NC: Floats) -> Floats:
        given_N = truth_probability(truth_N, probabilities_NC)
        others_N: Floats = (probabilities_NC**2).sum(1) - given_N**2
        return others_N.clip(0.0) + (1.0 - given_N) ** 2


METRIC = Brier
