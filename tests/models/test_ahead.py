"""What is read ahead is what would have been read; what was not asked for is forgotten."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import tiny_models
import tune_worlds as worlds
from warmstart.models.ahead import Ahead, read_ahead
from warmstart.models.anatomy import anatomy_of
from warmstart.models.inputs import Inputs
from warmstart.models.rows import LAYOUT

HERE = torch.device("cpu")


class Noting(Inputs):
    """Writes down what is read, and breaks at row 9."""

    def __init__(self, whole):
        self.whole, self.lengths, self.key = whole, whole.lengths, whole.key
        self.read = []

    def batch(self, numbers):
        self.read.append(list(numbers))
        if 9 in numbers:
            raise MemoryError
        return self.whole.batch(numbers)


@pytest.fixture
def reader():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def rows(*numbers):
    return np.array(numbers)


@pytest.mark.parametrize("name", ["bert", "resnet-basic"])
def test_what_is_read_ahead_is_what_would_have_been_read(name, reader):
    inputs, end_to_end = worlds.split(name, 12, 0).inputs, name == "bert"
    ahead = Ahead(inputs, HERE, end_to_end, reader)
    ahead.expect([rows(3, 1), rows(0, 2)])
    for numbers in (rows(3, 1), rows(0, 2), rows(5)):
        found, wanted = (each.on(HERE, numbers, end_to_end) for each in (ahead, inputs))
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[k], wanted[k]) for k in found if k != LAYOUT)
    assert not ahead.coming


def test_nothing_is_read_twice_and_what_nobody_wants_is_forgotten(reader):
    inputs = Noting(worlds.split("bert", 12, 0).inputs)
    ahead = Ahead(inputs, HERE, False, reader)
    ahead.expect([rows(1), rows(2)])
    ahead.expect([rows(2), rows(3)])
    ahead.on(HERE, rows(2), False)
    ahead.on(HERE, rows(3), False)
    assert inputs.read == [[1], [2], [3]]
    assert not ahead.coming


def test_what_goes_wrong_while_reading_is_told_to_who_asks(reader):
    ahead = Ahead(Noting(worlds.split("bert", 12, 0).inputs), HERE, False, reader)
    ahead.expect([rows(9), rows(1)])
    with pytest.raises(MemoryError):
        ahead.on(HERE, rows(9), False)
    assert ahead.on(HERE, rows(1), False)["input_ids"].shape[0] == 1


def test_a_processor_reads_when_it_is_asked():
    inputs = worlds.split("bert", 12, 0).inputs
    with read_ahead(anatomy_of(tiny_models.make("bert")), inputs) as found:
        assert found is inputs
