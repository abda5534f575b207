"""Metrics of runs on the same rows, with intervals, and the paired difference of two runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Gain, Measure, Predictions
from warmstart.evaluate.intervals import DRAWS, bonett_price, draws, percentile, resample, wilson
from warmstart.evaluate.metrics import METRICS
from warmstart.evaluate.metrics._metric import Metric, RowMean
from warmstart.evaluate.significance import bootstrap_p, detectable_mean, detectable_share, mcnemar

Floats = NDArray[np.float64]
BOOTSTRAP = f"bootstrap over rows, {DRAWS:,} draws, percentile"
ROUNDING = 1e-9
WHOLE = "one row: the whole range of the metric"


@dataclass(frozen=True)
class Sample:
    """One metric of one run on n rows: the value, and what is needed to doubt it."""

    name: str  # of the metric
    metric: Metric
    n: int
    value: float
    draws_B: Floats  # the value on each bootstrap draw; empty where rows_N is used instead
    rows_N: Floats | None = None  # 0 or 1 per row, if the metric is a share of rows


def metrics() -> dict[str, Metric]:
    """Every metric of the family, with its default settings."""
    return {name: METRICS.get(name)() for name in METRICS.names()}


def samples(
    said: Mapping[str, Predictions], asked: Mapping[str, Metric], seed: int, rows: str = "test"
) -> dict[tuple[str, str], Sample]:
    """(run, metric) -> Sample; all runs answer the same rows, and share the bootstrap draws of that name."""
    shares = {name: m for name, m in asked.items() if isinstance(m, RowMean) and m.binomial}
    statistics = {
        (run, name): partial(metric.resampled, p.truth, p.probabilities)
        for run, p in said.items()
        for name, metric in asked.items()
        if name not in shares
    }
    n = len(next(iter(said.values())).rows)
    drawn = resample(statistics, draws(n, seed, rows)) if statistics else {}
    found = {}
    for run, p in said.items():
        for name, metric in asked.items():
            hits_N = shares[name].rows(p.truth, p.probabilities) if name in shares else None
            value = metric.measure(p.truth, p.probabilities)
            draws_B = drawn.get((run, name), np.empty(0))
            found[run, name] = Sample(name, metric, n, value, draws_B, hits_N)
    return found


def measure(sample: Sample) -> Measure:
    """The value with its 95 % interval: Wilson's for a share of rows, else the bootstrap's."""
    if sample.rows_N is not None:
        low, high = wilson(float(sample.rows_N.sum()), sample.n)
        return Measure(sample.name, sample.value, low, high, sample.n, "Wilson score")
    if sample.n == 1:
        return Measure(sample.name, sample.value, *sample.metric.bounds, sample.n, WHOLE)
    low, high = percentile(sample.value, sample.draws_B)
    return Measure(sample.name, sample.value, low, high, sample.n, BOOTSTRAP)


def paired(ours: Sample, theirs: Sample) -> tuple[Measure, float]:
    """Ours minus theirs on the same rows with its 95 % interval, and the two-sided p of no difference.

    Bonett and Price's interval and McNemar's mid-p for a share of rows, else the paired bootstrap for both.
    """
    value, n = ours.value - theirs.value, ours.n
    if ours.rows_N is not None and theirs.rows_N is not None:
        won, lost = _discordant(ours.rows_N, theirs.rows_N)
        low, high = bonett_price(won, lost, n)
        return Measure(ours.name, value, low, high, n, "paired, Bonett-Price"), mcnemar(won, lost)
    if n == 1:
        least, most = ours.metric.bounds
        return Measure(ours.name, value, least - most, most - least, n, WHOLE), 1.0
    difference_B = ours.draws_B - theirs.draws_B
    low, high = percentile(value, difference_B)
    return Measure(ours.name, value, low, high, n, f"paired {BOOTSTRAP}"), bootstrap_p(difference_B)


def gain(rival: str, ours: Sample, theirs: Sample) -> Gain:
    """Ours minus the rival's on the same rows; where lower is better, a negative gain is good."""
    difference, p = paired(ours, theirs)
    return Gain(rival, ours.name, difference.value, difference.low, difference.high, p, ours.n)


def detectable(ours: Sample, theirs: Sample) -> float:
    """The smallest true difference of these two runs that the rows show four times in five."""
    if ours.rows_N is not None and theirs.rows_N is not None:
        return detectable_share(sum(_discordant(ours.rows_N, theirs.rows_N)) / ours.n, ours.n)
    span = ours.metric.bounds[1] - ours.metric.bounds[0]
    shown = detectable_mean(ours.draws_B - theirs.draws_B)
    # Differences that never vary on these rows (but for rounding) say nothing of how much they could:
    # count the rows alone.
    return min(span, shown) if shown > ROUNDING * span else span * detectable_share(0.0, ours.n)


def _discordant(ours_N: Floats, theirs_N: Floats) -> tuple[int, int]:
    return int((ours_N > theirs_N).sum()), int((ours_N < theirs_N).sum())
