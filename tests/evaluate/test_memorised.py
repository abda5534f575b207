"""Membership by loss: the area is scikit-learn's, its interval that of DeLong and of a slow bootstrap."""

from dataclasses import replace

import numpy as np
import pytest
from evaluate_worlds import run
from sklearn.metrics import roc_auc_score

from warmstart.base.types import Predictions
from warmstart.evaluate.memorised import alike, membership
from warmstart.evaluate.ranks import auc, auc_interval


def sides(m=80, n=120, apart=0.7, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, m).round(1), rng.normal(apart, 1.4, n).round(1)  # rounded: there are ties


def test_the_area_is_that_of_scikit_learn_ties_included():
    low, high = sides()
    area, _ = auc(low, high)
    assert area == pytest.approx(roc_auc_score([0] * 80 + [1] * 120, np.concatenate([low, high])))


def test_the_variance_is_delong_s_by_all_pairs():
    low, high = sides(30, 40)
    pairs = (high[None] > low[:, None]) + 0.5 * (high[None] == low[:, None])
    expected = pairs.mean(1).var(ddof=1) / 30 + pairs.mean(0).var(ddof=1) / 40
    assert auc(low, high)[1] == pytest.approx(expected)


def test_the_variance_is_about_that_of_a_slow_bootstrap():
    low, high = sides()
    rng = np.random.default_rng(1)
    drawn = [auc(rng.choice(low, 80), rng.choice(high, 120))[0] for _ in range(1500)]
    assert np.sqrt(auc(low, high)[1]) == pytest.approx(np.std(drawn), rel=0.08)


def test_the_interval_holds_the_truth_nineteen_times_in_twenty():
    from scipy.stats import norm

    truth, held = norm.cdf(0.7 / np.sqrt(1 + 1.4**2)), 0
    for seed in range(600):
        rng = np.random.default_rng(seed)
        low, high = rng.normal(0, 1, 60), rng.normal(0.7, 1.4, 60)
        below, above = auc_interval(*auc(low, high), 60)
        held += below <= truth <= above
    assert 0.925 <= held / 600 <= 0.975


def test_sides_that_are_wholly_apart_leave_a_doubt():
    area, variance = auc(np.zeros(20), np.ones(20))
    assert (area, variance) == (1.0, 0.0)
    low, high = auc_interval(area, variance, 20)
    assert 0.8 < low < 0.9
    assert high == 1.0


def said(rows, truth, sure):
    """True class with probability `sure` of each row, the rest shared by two others."""
    probabilities = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    probabilities[np.arange(len(truth)), truth] = sure
    return Predictions(np.arange(rows, rows + len(truth)), truth, probabilities)


def with_sides(train, test):
    return replace(run("full", {"test": np.ones(3, bool)}), predictions={"train": train, "test": test})


def test_a_model_that_treats_both_alike_is_at_one_half_and_one_that_knows_its_rows_is_not():
    rng = np.random.default_rng(0)
    test = said(1000, rng.integers(3, size=300), rng.uniform(0.3, 0.99, 300))
    same = membership(with_sides(said(0, rng.integers(3, size=300), rng.uniform(0.3, 0.99, 300)), test))
    known = membership(with_sides(said(0, rng.integers(3, size=300), rng.uniform(0.8, 0.999, 300)), test))
    assert same.low < 0.5 < same.high
    assert known.low > 0.6
    assert "as many of each class" in known.how


def test_both_sides_have_as_many_rows_of_each_class():
    train = said(0, np.array([0] * 50 + [1] * 5), np.full(55, 0.9))
    test = said(100, np.array([0] * 7 + [1] * 40 + [2] * 9), np.full(56, 0.9))
    ours, theirs = alike(train, test, 0)
    assert np.bincount(train.truth[ours]).tolist() == [7, 5]
    assert np.bincount(test.truth[theirs], minlength=3).tolist() == [7, 5, 0]
    assert (
        membership(
            with_sides(said(0, np.zeros(4, int), np.full(4, 0.9)), said(9, np.ones(4, int), np.full(4, 0.9)))
        )
        is None
    )


def test_other_shares_of_classes_alone_are_no_membership():
    """Class 0 is easy and class 1 hard, on both sides; there are more easy ones among the training rows."""
    rng = np.random.default_rng(3)
    train_truth, test_truth = rng.permutation([0] * 180 + [1] * 20), rng.permutation([0] * 100 + [1] * 100)
    sure = [
        np.where(t == 0, rng.uniform(0.8, 1, len(t)), rng.uniform(0.2, 0.5, len(t)))
        for t in (train_truth, test_truth)
    ]
    found = membership(with_sides(said(0, train_truth, sure[0]), said(500, test_truth, sure[1])))
    assert found.low < 0.5 < found.high
