"""One contract for every metric: a new file in the folder is tested by existing."""

import json
from dataclasses import is_dataclass

import numpy as np
import pytest

from warmstart.base.errors import WarmstartError
from warmstart.evaluate.metrics import METRICS

CLASSES = 4


@pytest.fixture(params=METRICS.names())
def metric(request):
    return METRICS.get(request.param)()


def rows(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(CLASSES - 1, size=n), rng.dirichlet(
        np.ones(CLASSES), size=n
    )  # the last class is missing


def one_hot(classes):
    return np.eye(CLASSES)[classes]


def test_a_metric_says_what_it_is(metric):
    assert is_dataclass(metric)
    assert metric.better in ("higher", "lower")
    assert metric.unit in ("points", "nats", "")
    assert metric.title
    assert metric.bounds[0] < metric.bounds[1]
    assert metric.margin > 0
    with pytest.raises(AttributeError):
        metric.margin = 0.5


def test_measuring_is_resampling_with_every_row_once(metric):
    truth, probabilities = rows()
    resampled = metric.resampled(truth, probabilities, np.ones((3, 60)))
    assert resampled.shape == (3,)
    assert resampled == pytest.approx(metric.measure(truth, probabilities))


@pytest.mark.parametrize("seed", range(3))
def test_a_row_that_is_drawn_twice_counts_as_two_rows(metric, seed):
    truth, probabilities = rows(seed=seed)
    counts = np.random.default_rng(seed).multinomial(60, np.full(60, 1 / 60), size=8).astype(float)
    drawn = [np.repeat(np.arange(60), c.astype(int)) for c in counts]
    brute_force = [metric.measure(truth[d], probabilities[d]) for d in drawn]
    assert metric.resampled(truth, probabilities, counts) == pytest.approx(brute_force)


def test_a_draw_of_another_size_is_measured_by_its_own_rows(metric):
    truth, probabilities = rows()
    counts = np.zeros((2, 60))
    counts[0, :7], counts[1, 5] = 1, 1
    expected = [metric.measure(truth[:7], probabilities[:7]), metric.measure(truth[5:6], probabilities[5:6])]
    assert metric.resampled(truth, probabilities, counts) == pytest.approx(expected)


@pytest.mark.parametrize("n", [1, 2, 60])
def test_perfect_predictions_are_best(metric, n):
    truth, probabilities = rows(n)
    best = metric.measure(truth, one_hot(truth))
    assert best == metric.bounds[1 if metric.better == "higher" else 0]
    others = [metric.measure(truth, p) for p in (probabilities, one_hot((truth + 1) % CLASSES))]
    assert all(best > other if metric.better == "higher" else best < other for other in others)


@pytest.mark.parametrize("n", [1, 2, 60])
def test_every_value_is_a_finite_float_within_its_bounds(metric, n):
    truth, probabilities = rows(n)
    cases = (
        probabilities,
        one_hot(truth),
        one_hot((truth + 1) % CLASSES),
        np.full((n, CLASSES), 1 / CLASSES),
    )
    for case in cases:
        value = metric.measure(truth, case)
        assert type(value) is float
        assert metric.bounds[0] <= value <= metric.bounds[1] + 1e-9
        json.dumps(value, allow_nan=False)


def test_the_order_of_rows_does_not_matter_and_nothing_is_changed_in_place(metric):
    truth, probabilities = rows()
    order = np.random.default_rng(1).permutation(60)
    before = truth.copy(), probabilities.copy()
    value = metric.measure(truth, probabilities)
    assert metric.measure(truth[order], probabilities[order]) == pytest.approx(value)
    assert (truth == before[0]).all()
    assert (probabilities == before[1]).all()


def test_settings_are_checked():
    assert METRICS.build({"name": "ece", "bins": 10}).bins == 10
    with pytest.raises(WarmstartError, match="no setting 'bin'"):
        METRICS.build({"name": "ece", "bin": 10})


@pytest.mark.parametrize("name", METRICS.names())
def test_the_first_line_of_the_file_says_what_it_measures(name):
    assert len(METRICS.first_line(name)) > 20
