"""Train and test told apart: the area and its variance are those of textbook and simulation."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from warmstart.base.types import Measure
from warmstart.select.shift import area, folds_of, level_of, told_apart


@pytest.mark.parametrize("seed", range(3))
def test_the_area_is_scikit_learns_ties_included(seed):
    rng = np.random.default_rng(seed)
    side_N = rng.integers(2, size=80)
    scores_N = np.round(rng.normal(size=80) + side_N, 1)
    assert area(scores_N, side_N)[0] == pytest.approx(roc_auc_score(side_N, scores_N))


def test_delongs_variance_is_the_double_sum_over_pairs():
    rng = np.random.default_rng(7)
    side_N = rng.integers(2, size=40)
    scores_N = np.round(rng.normal(size=40), 1)
    high, low = scores_N[side_N == 1], scores_N[side_N == 0]
    wins = np.array([[1.0 if h > l else 0.5 if h == l else 0.0 for l in low] for h in high])  # noqa: E741
    expected = wins.mean(1).var(ddof=1) / len(high) + wins.mean(0).var(ddof=1) / len(low)
    assert area(scores_N, side_N)[1] == pytest.approx(expected)


def test_the_variance_is_that_of_many_draws():
    rng = np.random.default_rng(8)
    side_N = np.repeat([0, 1], [60, 90])
    drawn = [area(rng.normal(size=150) + 0.7 * side_N, side_N) for _ in range(600)]
    assert np.mean([v for _, v in drawn]) == pytest.approx(np.var([a for a, _ in drawn]), rel=0.15)


def test_the_interval_of_scores_that_nobody_taught_holds_the_half_more_often_than_promised():
    """The widening for shared training rows makes it wide where there is no training."""
    rng = np.random.default_rng(9)
    folds, side_N = folds_of(100, 100, 0)
    found = [told_apart(rng.random(200), side_N, folds) for _ in range(200)]
    assert np.mean([m.low <= 0.5 <= m.high for m in found]) >= 0.99
    assert not any(level_of(m) for m in found if m.value <= 0.6)


@pytest.mark.parametrize(
    ("value", "low", "level"), [(0.8, 0.7, "warning"), (0.65, 0.6, "note"), (0.55, 0.51, ""), (0.8, 0.49, "")]
)
def test_only_what_is_shown_and_large_enough_is_told(value, low, level):
    assert level_of(Measure("auc", value, low, 0.95, 100)) == level
