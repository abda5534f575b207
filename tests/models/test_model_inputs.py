"""Rows as a model reads them: padded no further than a batch needs, and never confused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.models.inputs import ImageInputs, KeptInputs, Ragged, TextInputs

ROWS = [[5, 6, 7], [8], [9, 10, 11, 12, 13], [14, 15]]
NOTHING = np.zeros(3, np.float32)


def text(rows=ROWS, padding=0, types=None):
    return TextInputs(Ragged.of(rows), padding, None if types is None else Ragged.of(types))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 1000), min_size=1, max_size=9), min_size=1, max_size=12))
def test_ragged_rows_come_back_as_they_were(rows):
    ragged = Ragged.of(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    padded = ragged.padded(order, filling=-1)
    assert padded.shape == (len(rows), max(map(len, rows)))
    for place, number in enumerate(order):
        assert padded[place, : len(rows[number])].tolist() == rows[number]
        assert (padded[place, len(rows[number]) :] == -1).all()


def test_ragged_rows_of_vectors_come_back_as_they_were():
    flat = np.arange(24, dtype=np.float32).reshape(8, 3)
    padded = Ragged(flat, np.array([0, 2, 3, 8])).padded([2, 0])
    assert padded.shape == (2, 5, 3)
    assert np.array_equal(padded[0], flat[3:8])
    assert np.array_equal(padded[1, :2], flat[:2])
    assert (padded[1, 2:] == 0).all()


def test_texts_are_padded_to_the_longest_of_their_batch_and_masked():
    state = text(padding=99).batch([3, 0, 1])
    assert state["input_ids"].tolist() == [[14, 15, 99], [5, 6, 7], [8, 99, 99]]
    assert state["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1], [1, 0, 0]]
    assert set(state) == {"input_ids", "attention_mask"}


def test_token_types_are_padded_with_zeros():
    state = text(padding=99, types=[[1] * len(row) for row in ROWS]).batch([1, 0])
    assert state["token_type_ids"].tolist() == [[1, 0, 0], [1, 1, 1]]


def test_rows_in_order_are_all_rows_once_by_length_and_always_the_same():
    inputs = text()
    batches = [b.tolist() for b in inputs.in_order(3)]
    assert batches == [[1, 3, 0], [2]]
    assert len(inputs) == 4


def test_equal_keys_mean_equal_inputs():
    keys = {
        text().key,
        text([*ROWS[:3], [14, 16]]).key,  # another token
        text([[5, 6], [7, 8], *ROWS[2:]]).key,  # the same tokens in other rows
        text(ROWS[::-1]).key,  # another order
        text(padding=1).key,
        text(types=[[0] * len(row) for row in ROWS]).key,
        text(types=[[1] * len(row) for row in ROWS]).key,
    }
    assert len(keys) == 7
    assert text().key == text().key


def picture_keys():
    pixels = np.arange(2 * 3 * 4 * 6, dtype=np.uint8).reshape(2, 3, 4, 6)
    one = np.ones(3, np.float32)
    yield ImageInputs(pixels, one, NOTHING)
    yield ImageInputs(pixels.reshape(2, 3, 6, 4), one, NOTHING)
    yield ImageInputs(pixels.reshape(1, 3, 8, 6), one, NOTHING)
    yield ImageInputs(pixels.view(np.int8), one, NOTHING)
    yield ImageInputs(pixels[::-1], one, NOTHING)
    yield ImageInputs(pixels, 2 * one, NOTHING)
    yield ImageInputs(pixels, one, one)


def test_equal_keys_of_pictures_mean_equal_pictures():
    keys = [inputs.key for inputs in picture_keys()]
    assert len(set(keys)) == len(keys)
    assert keys == [inputs.key for inputs in picture_keys()]


def test_bytes_are_scaled_when_they_are_asked_for_and_floats_are_left_alone():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 4), dtype=np.uint8)
    scale, shift = np.array([0.5, 1, 2], np.float32), np.array([0, -1, 1], np.float32)
    state = ImageInputs(pixels, scale, shift).batch([4, 1])
    expected = pixels[[4, 1]] * scale[:, None, None] + shift[:, None, None]
    assert torch.equal(state["pixel_values"], torch.from_numpy(expected))
    ready = expected.astype(np.float32)
    assert torch.equal(
        ImageInputs(ready, NOTHING, NOTHING).batch([1])["pixel_values"], torch.from_numpy(ready[1:])
    )


def test_a_batch_of_pictures_is_the_caller_s_own():
    pixels = np.ones((2, 3, 4, 4), np.float32)
    inputs = ImageInputs(pixels, NOTHING, NOTHING)
    inputs.batch([0])["pixel_values"].zero_()
    assert (pixels == 1).all()


def test_kept_rows_are_read_where_they_lie(tmp_path):
    lengths = np.array([2, 1, 3])
    hidden = np.arange(12, dtype=np.float32).reshape(6, 2)
    vectors = np.arange(9, dtype=np.float32).reshape(3, 3)
    np.save(tmp_path / "hidden.npy", hidden)
    np.save(tmp_path / "pooled.npy", vectors)
    state = KeptInputs(tmp_path, frozenset({"hidden"}), lengths, "key").batch([2, 1])
    assert state["hidden"].shape == (2, 3, 2)
    assert np.array_equal(state["hidden"][0], hidden[3:])
    assert np.array_equal(state["hidden"][1], [hidden[2], [0, 0], [0, 0]])
    assert np.array_equal(state["pooled"], vectors[[2, 1]])
    state["pooled"].zero_()
    assert np.array_equal(np.load(tmp_path / "pooled.npy"), vectors)


@pytest.mark.parametrize("numbers", [[0, 2], (0, 2), np.array([0, 2])])
def test_rows_can_be_asked_for_by_any_kind_of_numbers(numbers):
    assert text().batch(numbers)["input_ids"].shape == (2, 5)
