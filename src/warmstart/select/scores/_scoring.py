"""What a score returns, and how far it can be trusted: bootstrap over rows, or jackknife over folds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from warmstart.select.scores._folds import Folds as Folds
from warmstart.select.scores._folds import make_folds as make_folds
from warmstart.select.scores._folds import number_folds as number_folds
from warmstart.select.scores._folds import rows_without as rows_without
from warmstart.select.scores._folds import untrained as untrained

LEVEL = 0.95

Whole = Callable[[NDArray[np.float64], NDArray[np.int64]], float]
Several = Callable[[NDArray[np.float64], NDArray[np.int64]], Sequence[float]]


@dataclass(frozen=True, eq=False)  # holds arrays: the same only as itself
class Scoring:
    """A score of one candidate's features, higher is better, with its 95 % interval.

    A row-wise score has `rows_N` (it is their mean, or with `per_N` the ratio of two sums); a score of the
    whole set has `without_RK`. Either lets `difference` pair two candidates on the same folds.
    """

    value: float
    low: float
    high: float
    how: str  # how the interval was made
    rows_N: NDArray[np.float64] | None = None  # of each row, out of fold, mean over repeats
    per_N: NDArray[np.float64] | None = None  # what is counted in each row, the same for all candidates
    hits_N: NDArray[np.float64] | None = None  # share of repeats in which the row was answered right
    without_RK: NDArray[np.float64] | None = None  # the score without each fold of each repeat
    chosen: dict[str, float] = field(default_factory=dict)  # settings that were chosen inside the folds


def of_rows(
    rows_N: NDArray[np.float64],
    hits_N: NDArray[np.float64],
    folds: Folds,
    chosen: dict[str, float] | None = None,
) -> Scoring:
    """The Scoring of a row-wise score: the mean over rows, with a bootstrap interval."""
    low, high = bootstrap(rows_N, folds)
    return Scoring(
        float(rows_N.mean()), low, high, _resampled(folds), rows_N, hits_N=hits_N, chosen=dict(chosen or {})
    )


def of_ratio(
    rows_N: NDArray[np.float64],
    per_N: NDArray[np.float64],
    folds: Folds,
    chosen: dict[str, float] | None = None,
) -> Scoring:
    """The Scoring of sum(rows) / sum(per), as bits of all texts by their bytes, with a bootstrap interval."""
    low, high = bootstrap(rows_N, folds, per_N)
    value = float(rows_N.sum() / per_N.sum())
    return Scoring(value, low, high, _resampled(folds), rows_N, per_N, chosen=dict(chosen or {}))


def of_whole(
    score: Whole, features_ND: NDArray[np.float64], labels_N: NDArray[np.int64], folds: Folds
) -> Scoring:
    """The Scoring of a score of the whole set, with a delete-a-group jackknife over the folds."""
    parts = parts_of(lambda features, labels: [score(features, labels)], features_ND, labels_N, folds)
    return jackknifed(float(parts.whole_P[0]), parts.without_RKP[:, :, 0])


def jackknifed(value: float, without_RK: NDArray[np.float64]) -> Scoring:
    """The Scoring of a value whose likes without each fold are known."""
    spread = jackknife(without_RK)
    how = f"95 % jackknife over {without_RK.shape[1]} folds"
    return Scoring(value, value - spread, value + spread, how, without_RK=without_RK)


@dataclass(frozen=True, eq=False)
class Parts:
    """What a relative score measures of one candidate: P numbers of all rows, and without each fold."""

    whole_P: NDArray[np.float64]
    without_RKP: NDArray[np.float64]


def parts_of(
    measure: Several, features_ND: NDArray[np.float64], labels_N: NDArray[np.int64], folds: Folds
) -> Parts:
    """The numbers that `measure` gives of all rows, and of those that are not in a fold."""
    kept = [[rows_without(folds.rows, test) for test in tests] for tests in folds.tests]
    without = [[measure(features_ND[rows], labels_N[rows]) for rows in repeat] for repeat in kept]
    return Parts(np.array(measure(features_ND, labels_N), float), np.array(without, float))


def of_pool(
    combine: Callable[[NDArray[np.float64]], NDArray[np.float64]], pool: Sequence[Parts]
) -> list[Scoring]:
    """The Scorings of M candidates by a relative score, which makes M values of M x P numbers."""
    whole_M = combine(np.stack([parts.whole_P for parts in pool]))
    without_RKMP = np.stack([parts.without_RKP for parts in pool], axis=2)
    without_RKM = np.array([[combine(numbers_MP) for numbers_MP in repeat] for repeat in without_RKMP])
    return [jackknifed(float(value), without_RKM[:, :, m]) for m, value in enumerate(whole_M)]


def bootstrap(
    rows_N: NDArray[np.float64], folds: Folds, per_N: NDArray[np.float64] | None = None
) -> tuple[float, float]:
    """Interval of the mean of `rows_N`: percentiles over rows (or whole groups), widened around the mean.

    With `per_N` it is that of sum(rows) / sum(per), both of the same rows in every draw.

    Rows that are tested apart are answered by models that share most of their training rows, which the
    bootstrap cannot see. Nadeau & Bengio (2003, Machine Learning 52) add test / training rows to the
    variance of each of K folds: a factor 1 + K / (K - 1), for 5 folds 1.5 times the width. Unwidened, two
    equally good candidates of 60 to 300 rows were called different in 11 to 28 % of our simulations.
    """
    per_N = np.ones(len(rows_N)) if per_N is None else per_N
    totals_U, sizes_U = np.bincount(folds.units_N, rows_N), np.bincount(folds.units_N, per_N)
    some_B = folds.resamples_BU @ sizes_U > 0  # a draw of nothing but empty texts has no value
    means_B = (folds.resamples_BU @ totals_U)[some_B] / (folds.resamples_BU @ sizes_U)[some_B]
    ends = np.quantile(means_B, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    mean = rows_N.sum() / per_N.sum()
    wide = mean + _widening(folds) * (ends - mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        single_N = rows_N / per_N
    low, high = np.clip(wide, np.nanmin(single_N), np.nanmax(single_N))
    return float(low), float(high)


def _widening(folds: Folds) -> float:
    """1 where nothing was learned, and so no training rows are shared."""
    if not folds.tests:
        return 1.0
    count = len(folds.tests[0])
    return float(np.sqrt(1 + count / (count - 1)))


def jackknife(without_RK: NDArray[np.float64]) -> float:
    """Half the width of the delete-a-group interval: Student's t; variances averaged over repeats."""
    from scipy.special import stdtrit

    folds = without_RK.shape[1]
    centred_RK = without_RK - without_RK.mean(1, keepdims=True)
    variance = (folds - 1) / folds * (centred_RK**2).sum(1).mean()
    return float(stdtrit(folds - 1, (1 + LEVEL) / 2) * np.sqrt(variance))


def difference(one: Scoring, other: Scoring, folds: Folds) -> tuple[float, float, float]:
    """`one` minus `other` with its paired 95 % interval: (value, low, high). Both by the same score."""
    value = one.value - other.value
    if one.rows_N is not None and other.rows_N is not None:
        return (value, *bootstrap(one.rows_N - other.rows_N, folds, one.per_N))
    assert one.without_RK is not None and other.without_RK is not None, "two kinds of score cannot be paired"
    spread = jackknife(one.without_RK - other.without_RK)
    return value, value - spread, value + spread


def _resampled(folds: Folds) -> str:
    units = folds.resamples_BU.shape[1]
    what = "rows" if units == folds.rows else "groups"
    shared = f", {_widening(folds):.2f} x for shared training rows" if folds.tests else ""
    return f"95 % bootstrap over {units} {what}{shared}"
