"""Reliability on test rows: calibration errors with their doubt, and the bins of a reliability diagram."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from warmstart.base.calibrated import Bin, Reliability
from warmstart.base.seeds import generator
from warmstart.base.types import Measure, Predictions
from warmstart.evaluate.compare import Sample, measure, paired, samples
from warmstart.evaluate.intervals import LEVEL, wilson
from warmstart.evaluate.metrics._metric import Floats, Ints, Metric, class_totals, hits
from warmstart.evaluate.metrics.brier import Brier
from warmstart.evaluate.metrics.ece import Ece
from warmstart.evaluate.metrics.log_loss import LogLoss

BINS = 10  # of the diagram, fewer where there are few rows
FEWEST = 10  # rows in a bin of the diagram
WORLDS = 1000  # draws of right and wrong answers where every probability is true


@dataclass(frozen=True)
class AdaptiveEce(Metric):
    """As Ece, in bins of equally many rows, 0 to 1 (Nguyen and O'Connor 2015, arXiv 1508.05154).

    Rows of equal confidence may lie on both sides of an edge; their order is that of the rows.
    """

    title: ClassVar[str] = "calibration error in equal bins"
    better: ClassVar[str] = "lower"
    unit: ClassVar[str] = "points"
    too_high: ClassVar[bool] = True
    bins: int = 15

    def resampled(self, truth_N: Ints, probabilities_NC: Floats, counts_BN: Floats) -> Floats:
        confidence_N = probabilities_NC.max(1)
        bin_N = equal_bins(confidence_N, self.bins)
        excess_N = hits(truth_N, probabilities_NC) - confidence_N
        gaps_B: Floats = np.abs(class_totals(bin_N, excess_N, counts_BN, self.bins)).sum(1) / counts_BN.sum(1)
        return gaps_B


KINDS: Mapping[str, Metric] = {
    "ece": Ece(),
    "adaptive_ece": AdaptiveEce(),
    "log_loss": LogLoss(),
    "brier": Brier(),
}


def equal_bins(values_N: Floats, bins: int) -> Ints:
    """The bin of each row, 0 to bins - 1 by rising value, all of as many rows as can be."""
    place_N = np.empty(len(values_N), np.int64)
    place_N[np.argsort(values_N, kind="stable")] = np.arange(len(values_N))
    found_N: Ints = place_N * bins // max(1, len(values_N))
    return found_N


def before_and_after(
    plain: Predictions, scaled: Predictions, seed: int
) -> tuple[Reliability, Reliability, dict[str, Measure]]:
    """Both on the same test rows, and what changed, after minus before, paired."""
    found = samples({"before": plain, "after": scaled}, KINDS, seed)
    changes = {name: paired(found["after", name], found["before", name])[0] for name in KINDS}
    return reliability(plain, found, "before", seed), reliability(scaled, found, "after", seed), changes


def reliability(
    said: Predictions, found: Mapping[tuple[str, str], Sample], key: str, seed: int
) -> Reliability:
    """What was found of these answers, with the error that chance alone gives and the diagram's bins."""
    measures = {name: measure(found[key, name]) for name in KINDS}
    return Reliability(**measures, by_chance=by_chance(said, seed), bins=diagram(said))


def alone(said: Predictions, seed: int) -> Reliability:
    """Of answers with nothing to compare them with."""
    return reliability(said, samples({"alone": said}, KINDS, seed), "alone", seed)


def by_chance(said: Predictions, seed: int) -> Measure:
    """The ECE of so many rows where each answer is right with the very probability that was stated.

    Consistency resampling (Broecker and Smith 2007, Weather and Forecasting 22:651): the mean and the middle
    95 % of the draws. An ECE within them is no sign of miscalibration.
    """
    confidence_N, bins = said.probabilities.max(1).clip(0.0, 1.0), Ece().bins
    edges = np.linspace(0.0, 1.0, bins + 1)
    bin_N = np.searchsorted(edges, confidence_N, side="right") - 1
    sums_K = np.bincount(bin_N, confidence_N, bins + 1)
    rng, n = generator(seed, "by-chance"), len(confidence_N)
    drawn = [np.bincount(bin_N, rng.random(n) < confidence_N, bins + 1) for _ in range(WORLDS)]
    errors_W = np.abs(np.stack(drawn) - sums_K).sum(1) / n
    low, high = np.quantile(errors_W, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    value = float(errors_W.mean())
    how = f"{WORLDS:,} draws of the truth from the stated probabilities"
    return Measure("ece by chance", value, min(float(low), value), max(float(high), value), n, how)


def diagram(said: Predictions) -> tuple[Bin, ...]:
    """At most ten bins of equally many rows: how sure, and how often right."""
    confidence_N, right_N = said.probabilities.max(1), hits(said.truth, said.probabilities)
    bins = max(1, min(BINS, len(confidence_N) // FEWEST))
    bin_N = equal_bins(confidence_N, bins)
    return tuple(
        share(float(confidence_N[bin_N == number].mean()), right_N[bin_N == number])
        for number in range(bins)
        if (bin_N == number).any()
    )


def share(confidence: float, right_M: Floats) -> Bin:
    n, right = len(right_M), float(right_M.sum())
    return Bin(n, confidence, Measure("right", right / n, *wilson(right, n), n, "Wilson score"))
