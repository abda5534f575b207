"""Folds: every row once, classes shared out evenly, groups whole, and nothing too small to be split."""

import numpy as np
import pytest

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._scoring import make_folds, rows_without


@pytest.mark.parametrize("rows, repeats", [(50, 3), (199, 3), (200, 1), (301, 1)])
def test_every_row_is_tested_once_per_repeat_and_small_data_is_repeated(rows, repeats):
    folds = make_folds(np.arange(rows) % 3, seed=1)
    assert len(folds.tests) == repeats
    for tests in folds.tests:
        assert len(tests) == 5
        assert sorted(np.concatenate(tests)) == list(range(rows))


def test_classes_and_sizes_differ_by_at_most_one_row_between_folds():
    labels = np.random.default_rng(0).choice(4, p=[0.6, 0.3, 0.07, 0.03], size=403)
    for tests in make_folds(labels).tests:
        counts = np.array([np.bincount(labels[t], minlength=4) for t in tests])
        assert np.ptp(counts, axis=0).max() <= 1
        assert np.ptp(counts.sum(1)) <= 1


def test_repeats_shuffle_anew_and_the_seed_decides():
    labels = np.arange(60) % 2
    one, same, other = make_folds(labels, seed=3), make_folds(labels, seed=3), make_folds(labels, seed=4)
    assert all((a == b).all() for a, b in zip(one.tests[0], same.tests[0], strict=True))
    assert any((a != b).any() for a, b in zip(one.tests[0], other.tests[0], strict=True))
    assert any((a != b).any() for a, b in zip(one.tests[0], one.tests[1], strict=True))


def test_groups_never_straddle_folds_and_classes_are_still_shared_out():
    random = np.random.default_rng(0)
    groups = random.integers(0, 80, 600)
    labels = (groups + (random.random(600) < 0.3)) % 3
    for tests in make_folds(labels, groups).tests:
        assert sorted(np.concatenate(tests)) == list(range(600))
        for a, test in enumerate(tests):
            assert not set(groups[test]) & set(groups[np.concatenate(tests[:a] + tests[a + 1 :])])
            shares = np.bincount(labels[test], minlength=3) / np.bincount(labels)
            assert np.abs(shares - 0.2).max() < 0.06


def test_groups_may_be_names_and_large_groups_leave_no_fold_empty():
    groups = np.array(["a"] * 90 + ["b", "c", "d", "e"] * 3)
    tests = make_folds(np.arange(102) % 2, groups).tests[0]
    assert [len(t) for t in tests if len(t) == 0] == []
    assert max(map(len, tests)) == 90


@pytest.mark.parametrize("smallest, folds", [(1, 3), (2, 3), (3, 3), (4, 4), (5, 5), (9, 5)])
def test_a_rare_class_lowers_the_number_of_folds_but_never_below_three(smallest, folds):
    labels = np.array([0] * 40 + [1] * smallest)
    assert len(make_folds(labels).tests[0]) == folds


def test_a_class_of_few_groups_counts_by_its_groups():
    labels, groups = np.array([0] * 40 + [1] * 40), np.array(list(range(40)) + [40, 41, 42, 43] * 10)
    assert len(make_folds(labels, groups).tests[0]) == 4


@pytest.mark.parametrize("rows, groups", [(1, None), (6, [7] * 6)])
def test_what_cannot_be_split_is_refused_with_advice(rows, groups):
    with pytest.raises(WarmstartError, match="at least two") as refusal:
        make_folds(np.arange(rows) % 2, None if groups is None else np.array(groups))
    assert refusal.value.code == "too-few-rows"


def test_two_groups_give_two_folds():
    assert len(make_folds(np.arange(8) % 2, np.array([0, 0, 0, 0, 1, 1, 1, 1])).tests[0]) == 2


def test_the_rows_that_are_left_are_the_others_in_order():
    assert rows_without(6, np.array([4, 1]), np.array([0])).tolist() == [2, 3, 5]
