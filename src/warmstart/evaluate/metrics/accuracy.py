"""Accuracy: the share of rows whose most probable class is the true one."""

from dataclasses import dataclass

from warmstart.evaluate.metrics._metric import Floats, Ints, RowMean, hits


@dataclass(frozen=True)
class Accuracy(RowMean):
    """Share of rows answered correctly, 0 to 1; of equally probable classes the first is the answer."""

    title = "accuracy"
    better = "higher"
    unit = "points"
    binomial = True

    def rows(self, truth_N: Ints, probabilities_NC: Floats) -> Floats:
        return hits(truth_N, probabilities_NC)


METRIC = Accuracy
