"""Intervals: against scipy, against arithmetic by hand, and paired where pairing helps."""

import numpy as np
import pytest
from scipy import stats

from warmstart.select.scores._scoring import Scoring, bootstrap, difference, jackknife, make_folds, of_rows

RANDOM = np.random.default_rng(5)


def test_the_bootstrap_of_rows_is_scipys_one_and_a_half_times_as_wide_for_five_folds():
    rows = RANDOM.exponential(size=400)
    ends = np.array(bootstrap(rows, make_folds(np.arange(400) % 2)))
    theirs = stats.bootstrap((rows,), np.mean, n_resamples=9999, method="percentile", rng=RANDOM)
    interval = np.array(theirs.confidence_interval)
    assert (ends - rows.mean()) / 1.5 == pytest.approx(interval - rows.mean(), abs=0.012)


def test_an_interval_never_leaves_the_values_that_rows_can_have():
    hits = np.array([0.0] * 2 + [1.0] * 98)
    low, high = bootstrap(hits, make_folds(np.arange(100) % 2))
    assert 0.9 < low < 0.98 and high == 1.0


def test_groups_are_drawn_whole_so_that_copies_add_no_certainty():
    values = RANDOM.normal(size=60)
    single = bootstrap(values, make_folds(np.arange(60) % 2, np.arange(60)))
    copied = bootstrap(np.repeat(values, 5), make_folds(np.arange(300) % 2, np.repeat(np.arange(60), 5)))
    assert copied == pytest.approx(single)


def test_the_jackknife_of_a_mean_is_its_standard_error_over_blocks():
    values = RANDOM.normal(size=50).reshape(5, 10)
    without = np.array([[np.delete(values, k, axis=0).mean() for k in range(5)]])
    expected = stats.sem(values.mean(1)) * stats.t.ppf(0.975, 4)
    assert jackknife(without) == pytest.approx(expected)


def test_a_paired_difference_is_much_surer_than_two_scores_apart():
    folds = make_folds(np.arange(300) % 2)
    luck = RANDOM.normal(size=300)
    better, worse = (
        of_rows(luck + 0.1, luck, folds),
        of_rows(luck + RANDOM.normal(size=300) * 0.1, luck, folds),
    )
    value, low, high = difference(better, worse, folds)
    assert low < value < high
    assert low > 0 and better.low < worse.high  # surely better, though the intervals overlap widely
    assert difference(worse, better, folds)[0] == -value


def test_whole_scores_are_paired_by_fold():
    folds = make_folds(np.arange(300) % 2)
    swing = np.array([[0.0, 1.0, 2.0, 3.0, 4.0]])
    one = Scoring(2.5, 0, 0, "", without_RK=swing + 0.5)
    other = Scoring(2.0, 0, 0, "", without_RK=swing)
    assert difference(one, other, folds) == pytest.approx((0.5, 0.5, 0.5))
