"""Metrics of runs on the same rows, with intervals, and the paired difference of two runs.

A Sample may stand for several runs that differ in their seed: their mean, with the single ones beside it.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import hypot, sqrt
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Gain, Measure, Predictions
from warmstart.evaluate import levels
from warmstart.evaluate.intervals import (
    DRAWS,
    bonett_price_of_means,
    draws,
    mean_interval,
    mean_p,
    percentile,
    resample,
    standard_error,
    wilson_of_means,
)
from warmstart.evaluate.metrics import METRICS
from warmstart.evaluate.metrics._metric import Metric, RowMean
from warmstart.evaluate.significance import bootstrap_p, detectable_mean, detectable_share, mcnemar

Floats = NDArray[np.float64]
Key = TypeVar("Key", bound=Hashable)
BOOTSTRAP = f"bootstrap over rows, {DRAWS:,} draws, percentile"
CORRECTED = f"{BOOTSTRAP}; its bias taken off the low end"
HALL = "t over rows, corrected for their skewness (Hall)"
ROUNDING = 1e-9
WHOLE = "one row: the whole range of the metric"


@dataclass(frozen=True)
class Sample:
    """One metric of one run on n rows: the value, and what is needed to doubt it."""

    name: str  # of the metric
    metric: Metric
    n: int
    value: float
    draws_B: Floats  # the value on each bootstrap draw; empty for a share of rows
    rows_N: Floats | None = None  # the value of each row, if the metric is the mean of one value per row
    each: tuple["Sample", ...] = ()  # of every seed, where this is their mean

    @property
    def is_share(self) -> bool:
        """Is it the share of rows that have a 1, the others having a 0?"""
        return isinstance(self.metric, RowMean) and self.metric.binomial

    @property
    def varies(self) -> bool:
        """Do the rows differ by more than rounding?"""
        return self.rows_N is not None and float(self.rows_N.std()) > ROUNDING

    @property
    def rows_variance(self) -> float:
        """Of the value, over rows."""
        if self.n == 1:
            return 0.0
        return float(self.draws_B.var()) if self.rows_N is None else standard_error(self.rows_N) ** 2

    @property
    def seeds_variance(self) -> float:
        """What the seeds add to it."""
        each = float(np.mean([one.rows_variance for one in self.each]))
        return levels.seeds_variance(self.by_seed, self.rows_variance, each)

    @property
    def by_seed(self) -> list[float]:
        return [one.value for one in self.each]


def metrics() -> dict[str, Metric]:
    """Every metric of the family, with its default settings."""
    return {name: METRICS.get(name)() for name in METRICS.names()}


def samples(
    said: Mapping[Key, Predictions], asked: Mapping[str, Metric], seed: int, rows: str = "test"
) -> dict[tuple[Key, str], Sample]:
    """(run, metric) -> Sample; all runs answer the same rows, and share the bootstrap draws of that name."""
    means = {name: m for name, m in asked.items() if isinstance(m, RowMean)}
    shares = {name for name, m in means.items() if m.binomial}
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
            rows_N = means[name].rows(p.truth, p.probabilities) if name in means else None
            value = metric.measure(p.truth, p.probabilities)
            draws_B = drawn.get((run, name), np.empty(0))
            found[run, name] = Sample(name, metric, n, value, draws_B, rows_N)
    return found


def over_seeds(each: Sequence[Sample]) -> Sample:
    """The mean of the same metric over runs of several seeds; of one run, that run's own."""
    first = each[0]
    if len(each) == 1:
        return first
    rows = [one.rows_N for one in each if one.rows_N is not None]
    return replace(
        first,
        value=float(np.mean([one.value for one in each])),
        draws_B=np.mean([one.draws_B for one in each], axis=0),
        rows_N=np.mean(rows, axis=0) if rows else None,
        each=tuple(each),
    )


def difference(ours: Sample, theirs: Sample) -> Sample:
    """Ours minus theirs by row, draw and seed; what has one seed is paired with every seed of the other."""
    count = max(len(ours.each), len(theirs.each))
    pairs = zip(ours.each or (ours,) * count, theirs.each or (theirs,) * count, strict=True)
    rows = ours.rows_N is not None and theirs.rows_N is not None
    return replace(
        ours,
        value=ours.value - theirs.value,
        draws_B=ours.draws_B - theirs.draws_B,
        rows_N=ours.rows_N - theirs.rows_N if rows else None,  # type: ignore[operator]  # both are there
        each=tuple(difference(a, b) for a, b in pairs) if count > 1 else (),
    )


def measure(sample: Sample) -> Measure:
    """The value with its 95 % interval, over rows and, where there are several, over seeds."""
    low, high, how = _over_rows(sample)
    if sample.each:
        low, high = levels.on_both(sample.value, low, high, sample.seeds_variance, len(sample.each))
        how = f"{how}; and t over {len(sample.each)} seeds, squares added"
    return Measure(sample.name, sample.value, *within(low, high, *sample.metric.bounds), sample.n, how)


def _over_rows(sample: Sample) -> tuple[float, float, str]:
    """Wilson's interval for a share of rows, Hall's for a mean, else the bootstrap's."""
    if sample.is_share and sample.rows_N is not None:
        return *wilson_of_means(sample.rows_N, max(1, len(sample.each))), "Wilson score"
    if sample.n == 1:
        return *sample.metric.bounds, WHOLE
    if sample.varies and sample.rows_N is not None:
        return *mean_interval(sample.rows_N), HALL
    low, high = percentile(sample.value, sample.draws_B)
    if not sample.metric.too_high:
        return low, high, BOOTSTRAP
    return low - 2 * max(0.0, float(sample.draws_B.mean()) - sample.value), high, CORRECTED


def paired(ours: Sample, theirs: Sample) -> tuple[Measure, float]:
    """Ours minus theirs on the same rows with its 95 % interval, and the two-sided p of no difference.

    Bonett and Price's interval and McNemar's mid-p for a share of rows, Hall's for a mean of rows, else the
    paired bootstrap for both; over several seeds both levels count, and p is where the interval ends at 0.
    """
    apart, (least, most) = difference(ours, theirs), ours.metric.bounds
    low, high, how = _difference_over_rows(apart)
    if apart.each:
        doubt = (apart.value, low, high, apart.seeds_variance, len(apart.each))
        (low, high), p = levels.on_both(*doubt), levels.both_p(*doubt)
        how = f"{how}; and paired t over {len(apart.each)} seeds, squares added"
    else:
        p = _p_over_rows(apart)
    return Measure(ours.name, apart.value, *within(low, high, least - most, most - least), ours.n, how), p


def _difference_over_rows(apart: Sample) -> tuple[float, float, str]:
    if apart.is_share and apart.rows_N is not None:
        return *bonett_price_of_means(apart.rows_N), "paired, Bonett-Price"
    if apart.n == 1:
        least, most = apart.metric.bounds
        return least - most, most - least, WHOLE
    if apart.varies and apart.rows_N is not None:
        return *mean_interval(apart.rows_N), f"paired {HALL}"
    return *percentile(apart.value, apart.draws_B), f"paired {BOOTSTRAP}"


def _p_over_rows(apart: Sample) -> float:
    if apart.is_share and apart.rows_N is not None:
        return mcnemar(int((apart.rows_N > 0).sum()), int((apart.rows_N < 0).sum()))
    if apart.n == 1:
        return 1.0
    return mean_p(apart.rows_N) if apart.varies and apart.rows_N is not None else bootstrap_p(apart.draws_B)


def within(low: float, high: float, least: float, most: float) -> tuple[float, float]:
    return max(low, least), min(high, most)


def gain(rival: str, ours: Sample, theirs: Sample) -> Gain:
    """Ours minus the rival's on the same rows; where lower is better, a negative gain is good."""
    found, p = paired(ours, theirs)
    plain = Gain(rival, ours.name, found.value, found.low, found.high, p, ours.n)
    apart = difference(ours, theirs)
    if not apart.each:
        return plain
    good = 1 if ours.metric.better == "higher" else -1
    return replace(
        plain,
        by_seed=tuple(measure_difference(one) for one in apart.each),
        p_seeds=levels.paired_t(apart.by_seed),
        p_signs=levels.sign_flip([good * value for value in apart.by_seed]),
    )


def measure_difference(apart: Sample) -> Measure:
    """A difference of one seed with its interval over rows."""
    low, high, how = _difference_over_rows(apart)
    least, most = apart.metric.bounds
    return Measure(apart.name, apart.value, *within(low, high, least - most, most - least), apart.n, how)


def detectable(ours: Sample, theirs: Sample) -> float:
    """The smallest true difference of these two runs that rows (and seeds) show four times in five."""
    apart = difference(ours, theirs)
    span = ours.metric.bounds[1] - ours.metric.bounds[0]
    shown = _detectable_over_rows(apart, span)
    if not apart.each:
        return shown
    count, spread = len(apart.each), float(np.std(apart.by_seed, ddof=1))
    over_both = levels.detectable_t(sqrt(apart.seeds_variance * count), count)
    return min(span, max(hypot(shown, over_both), levels.detectable_t(spread, count)))


def _detectable_over_rows(apart: Sample, span: float) -> float:
    if apart.is_share and apart.rows_N is not None:
        return detectable_share(float((apart.rows_N**2).mean()), apart.n)
    shown = detectable_mean(apart.draws_B)
    # Differences that never vary on these rows (but for rounding) say nothing of how much they could:
    # count the rows alone.
    return min(span, shown) if shown > ROUNDING * span else span * detectable_share(0.0, apart.n)
