"""A sample of rows: no more than the limit, in proportion, but never a forgotten class."""

import numpy as np
import pytest

from warmstart.select.sample import sample_rows


def test_few_rows_are_all_taken():
    assert sample_rows(np.array([0, 1, 1]), limit=3).tolist() == [0, 1, 2]


def test_the_limit_is_met_exactly_and_rows_are_distinct_and_ascending():
    labels = np.random.default_rng(0).choice(7, p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.03, 0.02], size=9000)
    rows = sample_rows(labels)
    assert len(rows) == 2000
    assert (np.diff(rows) > 0).all()


def test_rare_classes_keep_twenty_rows_or_all_they_have():
    labels = np.array([0] * 9000 + [1] * 60 + [2] * 25 + [3] * 6)
    counts = np.bincount(labels[sample_rows(labels)])
    assert counts.sum() == 2000
    assert counts[1] >= 20 and counts[2] >= 20 and counts[3] == 6


def test_large_classes_are_in_proportion():
    labels = np.array([0] * 6000 + [1] * 3000)
    counts = np.bincount(labels[sample_rows(labels, limit=900)])
    assert counts.tolist() == pytest.approx([600, 300], abs=8)


@pytest.mark.parametrize("classes, limit", [(150, 2000), (300, 200), (2, 3)])
def test_more_classes_than_the_limit_has_room_for_still_give_the_limit(classes, limit):
    labels = np.arange(classes * 40) % classes
    taken = np.bincount(labels[sample_rows(labels, limit=limit)], minlength=classes)
    assert taken.sum() == limit
    assert np.ptp(taken) <= 1


def test_every_group_gives_a_row_before_any_gives_a_second():
    groups = np.array([0] * 500 + [1] * 500 + list(range(2, 52)))
    labels = np.zeros(1050, dtype=int)
    rows = sample_rows(labels, groups, limit=60)
    assert len(np.unique(groups[rows])) == 52


def test_the_seed_decides():
    labels = np.arange(500) % 2
    assert (sample_rows(labels, limit=50, seed=1) == sample_rows(labels, limit=50, seed=1)).all()
    assert (sample_rows(labels, limit=50, seed=1) != sample_rows(labels, limit=50, seed=2)).any()
