"""Counts of labels, against numpy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from warmstart.decide.facts import RowFacts, count_rows

numbers = st.lists(st.integers(0, 4), min_size=1, max_size=60)


@given(numbers, numbers)
def test_counts_agree_with_numpy(train, validation):
    sizes = np.bincount(train, minlength=5)
    floor = np.mean(np.array(validation) == sizes.argmax())
    assert count_rows(train, validation, 5) == RowFacts(len(train), 5, sizes.min(), np.median(sizes), floor)


def test_a_class_without_training_rows_counts_as_none():
    assert count_rows([0, 0, 1], [2], 3) == RowFacts(3, 3, 0, 1.0, 0.0)
