"""One contract for every floor: a new file in the folder is tested by existing."""

import io
import subprocess
import sys

import numpy as np
import pytest

from street_world import COLOURS, picture, reviews
from warmstart.floors import FLOORS
from warmstart.floors._floor import Floor
from warmstart.floors._regression import out_of_fold
from warmstart.select.scores._folds import make_folds
from warmstart.tasks import TASKS

TASK_OF = {TASKS.get(name).baseline: TASKS.get(name) for name in TASKS.names() if TASKS.get(name).baseline}


@pytest.fixture(params=FLOORS.names())
def floor(request):
    return FLOORS.get(request.param)()


@pytest.fixture
def rows(floor, request):
    """60 rows that can be told, and their labels."""
    name = request.node.callspec.params["floor"]
    if TASK_OF[name].modality == "text":
        found = reviews(60)
        return [text for text, _ in found], np.array([label for _, label in found])
    random, names = np.random.default_rng(0), list(COLOURS)
    values = []
    for number in range(60):
        buffer = io.BytesIO()
        picture(names[number % 3], random).save(buffer, "PNG")
        values.append(buffer.getvalue())
    return values, np.arange(60) % 3


def test_every_floor_belongs_to_a_task():
    assert set(TASK_OF) == set(FLOORS.names())


def test_every_task_of_the_whole_street_has_a_floor():
    assert all(TASKS.get(n).baseline for n in TASKS.names() if TASKS.get(n).whole_street)


def test_a_floor_says_what_it_is(floor):
    assert isinstance(floor, Floor)
    assert "logistic regression" in floor.plain
    assert len(floor.penalties) > 2 and min(floor.penalties) > 0


def test_rows_are_read_one_by_one_and_weighed_by_training_rows(floor, rows):
    values, _ = rows
    raw = floor.read(values)
    assert raw.shape[0] == 60
    train = np.arange(0, 60, 2)
    x = floor.weighed(raw, train)
    assert x.shape == raw.shape
    assert np.isfinite(x.sum())
    order = np.arange(60)
    order[[1, 3]] = (5, 7)  # other rows that do not teach
    again = floor.weighed(raw[order], train)
    assert abs(x[train] - again[train]).max() == 0


def test_it_answers_better_than_chance(floor, rows):
    values, labels = rows
    found = out_of_fold(floor, floor.read(values), labels, make_folds(labels).tests)
    assert found.hits_N.mean() > 1.5 / len(set(labels.tolist()))


@pytest.mark.parametrize("name", FLOORS.names())
def test_the_first_line_of_the_file_says_what_it_is_about(name):
    assert len(FLOORS.first_line(name)) > 15


def test_a_floor_needs_neither_torch_nor_the_second_that_scikit_learn_takes():
    code = (
        "import sys; from warmstart.floors import FLOORS; import numpy as np; "
        "import warmstart.floors._regression as r; "
        "f = FLOORS.get('bag_of_words')(); raw = f.read(['a b', 'c d', 'a', 'd']); "
        "r.fit(f, raw, np.arange(4), np.array([0, 1, 0, 1]), 2, 1.0); FLOORS.get('colours_and_edges'); "
        "sys.exit(bool({'sklearn', 'torch'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
