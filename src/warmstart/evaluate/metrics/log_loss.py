"""Log-loss: the mean of -ln(probability given to the true class), a proper score of the whole answer."""

from dataclasses import dataclass
from math import log

import numpy as np

from warmstart.evaluate.metrics._metric import Floats, Ints, RowMean, truth_probability

LEAST = 1e-12  # a probability of 0 counts as this, so that one row costs at most 27.6 nats


@dataclass(frozen=True)
class LogLoss(RowMean):
    """Mean negative log-likelihood in nats, 0 to 27.6; probabilities are clipped at 1e-12."""

    title = "log-loss"
    better = "lower"
    unit = "nats"
    bounds = (0.0, -log(LEAST))

    def rows(self, truth_N: Ints, probabilities_NC: Floats) -> Floats:
        clipped_N: Floats = truth_probability(truth_N, probabilities_NC).clip(LEAST, 1.0)
        return np.abs(np.log(clipped_N))


METRIC = LogLoss
