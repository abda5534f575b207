"""Macro-F1: the harmonic mean of precision and recall of each class, every class counting the same."""

from dataclasses import dataclass

import numpy as np

from warmstart.evaluate.metrics._metric import Floats, Ints, Metric, class_totals, hits


@dataclass(frozen=True)
class MacroF1(Metric):
    """Mean F1 over the classes that occur in the truth or among the answers, 0 to 1.

    As scikit-learn's f1_score(average="macro"): a class that no row has and no row was called is left out of
    the mean, in each bootstrap draw anew; a class that occurs and is never found counts 0.
    """

    title = "macro-F1"
    better = "higher"
    unit = "points"

    def resampled(self, truth_N: Ints, probabilities_NC: Floats, counts_BN: Floats) -> Floats:
        size, ones_N = probabilities_NC.shape[1], np.ones(len(truth_N))
        found_BC = class_totals(truth_N, hits(truth_N, probabilities_NC), counts_BN, size)
        there_BC = class_totals(truth_N, ones_N, counts_BN, size)
        called_BC = class_totals(probabilities_NC.argmax(1), ones_N, counts_BN, size)
        seen_BC = there_BC + called_BC
        f1_BC = 2 * found_BC / np.maximum(seen_BC, 1)
        means_B: Floats = f1_BC.sum(1) / (seen_BC > 0).sum(1)
        return means_B


METRIC = MacroF1
