"""Expected calibration error: how far confidence is from the share of right answers (Guo et al. 2017)."""

from dataclasses import dataclass

import numpy as np

from warmstart.evaluate.metrics._metric import Floats, Ints, Metric, class_totals, hits


@dataclass(frozen=True)
class Ece(Metric):
    """Sum over confidence bins of (share of rows) x |accuracy - mean confidence|, 0 to 1.

    Bins of equal width as in torchmetrics 1.x: [k/15, (k+1)/15), and a bin of its own for a confidence of
    exactly 1. With few rows a bin the value is too high even for a calibrated model, and its bootstrap draws
    more so.
    """

    title = "calibration error"
    better = "lower"
    unit = "points"
    too_high = True
    bins: int = 15

    def resampled(self, truth_N: Ints, probabilities_NC: Floats, counts_BN: Floats) -> Floats:
        confidence_N = probabilities_NC.max(1).clip(0.0, 1.0)
        edges = np.linspace(0.0, 1.0, self.bins + 1)
        bin_N = np.searchsorted(edges, confidence_N, side="right") - 1
        excess_N = hits(truth_N, probabilities_NC) - confidence_N
        gaps_B: Floats = np.abs(class_totals(bin_N, excess_N, counts_BN, self.bins + 1)).sum(
            1
        ) / counts_BN.sum(1)
        return gaps_B


METRIC = Ece
