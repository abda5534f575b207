"""Calibration: one temperature, exact; judged out of fold; errors by hand, by chance and in equal bins."""

from dataclasses import replace

import numpy as np
import pytest
from evaluate_worlds import first, run

from warmstart.base.types import Predictions
from warmstart.evaluate.calibrate import FEWEST, calibrated, out_of_fold
from warmstart.evaluate.metrics.ece import Ece
from warmstart.evaluate.metrics.log_loss import LogLoss
from warmstart.evaluate.reliability import AdaptiveEce, alone, by_chance, equal_bins
from warmstart.evaluate.temperature import PRIOR, at, cooled, fit


def world(n, temperature=1.0, seed=0, classes=4):
    """Answers of which each probability is true, sharpened: at `temperature` they would be true again."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, classes))
    honest = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = (honest.cumsum(1) < rng.random((n, 1))).sum(1)
    sharp = np.exp(temperature * logits)
    return Predictions(np.arange(n), truth, sharp / sharp.sum(1, keepdims=True))


def told(validation, test):
    plain = run("full", {"validation": first(3, 1.0), "test": first(3, 1.0)})
    return calibrated(replace(plain, predictions={"validation": validation, "test": test}))


def test_the_temperature_is_the_lowest_of_a_fine_grid():
    said = world(60, temperature=2.5, seed=3)
    logs, rows = np.log(said.probabilities), np.arange(60)
    grid = np.linspace(0.1, 2.0, 40_001)
    costs = []
    for inverse in grid:
        scaled = inverse * logs
        normal = np.log(np.exp(scaled).sum(1))
        costs.append((normal - scaled[rows, said.truth]).sum() + (inverse - 1) ** 2 / (2 * PRIOR**2))
    assert 1 / fit(said) == pytest.approx(grid[int(np.argmin(costs))], abs=1e-4)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_planted_is_found(temperature):
    assert fit(world(20_000, temperature)) == pytest.approx(temperature, rel=0.05)


def test_rows_that_are_all_right_do_not_ask_for_an_extreme():
    sure = Predictions(np.arange(40), np.zeros(40, int), np.tile([0.9, 0.1], (40, 1)))
    wrong = Predictions(np.arange(40), np.ones(40, int), np.tile([0.9, 0.1], (40, 1)))
    assert 0.3 < fit(sure) < 1
    assert fit(wrong) == 20.0, "the bound: they are wrong whatever the temperature"
    assert fit(Predictions(np.empty(0, int), np.empty(0, int), np.empty((0, 2)))) == 1.0


def test_no_answer_changes_and_one_is_no_change_at_all():
    said = world(500, 2.0)
    assert (cooled(said, 3.0).answers == said.answers).all()
    assert at(said.probabilities, 1.0) is said.probabilities
    assert at(said.probabilities, 2.0).sum(1) == pytest.approx(np.ones(500))
    twice = at(at(said.probabilities, 2.0), 0.5)
    assert twice == pytest.approx(said.probabilities)


def test_a_model_that_is_too_sure_is_mended_on_rows_that_chose_nothing():
    known = told(world(400, 3.0, seed=1), world(1000, 3.0, seed=2))
    assert known.used
    assert known.fitted.high < 0
    assert known.temperature == pytest.approx(3.0, rel=0.3)
    for name in ("log_loss", "brier", "ece", "adaptive_ece"):
        assert known.changes[name].high < 0, name
        change = getattr(known.after, name).value - getattr(known.before, name).value
        assert known.changes[name].value == pytest.approx(change)
    assert known.before.ece.value > known.before.by_chance.high
    assert known.after.ece.value <= known.after.by_chance.high
    assert known.why.so == "used by warmstart predict: the model is surer than it is right"


def test_an_honest_model_is_left_as_it_is():
    unused = [told(world(200, 1.0, seed), world(300, 1.0, 50 + seed)).used for seed in range(40)]
    assert sum(unused) <= 2, "a 95 % interval on one side is wrong once in forty"


def test_so_few_validation_rows_are_refused_with_the_reason():
    known = told(world(FEWEST - 1, 5.0), world(100, 5.0))
    assert (known.used, known.temperature, known.after) == (False, 1.0, None)
    assert known.why.saw == "29 validation rows"
    assert "cannot tell" in known.why.so


def test_rows_are_judged_at_the_temperature_of_the_others():
    """A single row that is wrong and sure makes the fit better in sample, and not out of fold."""
    said = world(200, 1.0, seed=5)
    inside = LogLoss().measure(said.truth, at(said.probabilities, fit(said)))
    plain = LogLoss().measure(said.truth, said.probabilities)
    assert inside - plain <= out_of_fold(said, 0).value


def test_equal_bins_have_as_many_rows_each():
    bins = equal_bins(np.random.default_rng(0).random(100), 15)
    assert set(np.bincount(bins)) <= {6, 7}
    assert (np.diff(bins[np.argsort(np.random.default_rng(0).random(100))]) >= 0).all()


def test_the_error_in_equal_bins_is_that_of_a_loop():
    said = world(97, 2.0, seed=4)
    order = np.argsort(said.probabilities.max(1), kind="stable")
    expected, size = 0.0, AdaptiveEce().bins
    for number in range(size):
        rows = [row for place, row in enumerate(order) if place * size // 97 == number]
        right = np.mean([said.probabilities[r].argmax() == said.truth[r] for r in rows])
        expected += len(rows) / 97 * abs(right - said.probabilities.max(1)[rows].mean())
    assert AdaptiveEce().measure(said.truth, said.probabilities) == pytest.approx(expected)


def test_the_error_by_chance_is_what_honest_models_have():
    honest = [world(150, 1.0, seed) for seed in range(300)]
    found = [Ece().measure(one.truth, one.probabilities) for one in honest]
    chance = by_chance(honest[0], 0)
    assert np.mean(found) == pytest.approx(chance.value, rel=0.1)
    held = [by_chance(one, 0).high >= error for one, error in list(zip(honest, found, strict=True))[:60]]
    assert np.mean(held) > 0.9


def test_bins_of_the_diagram_hold_all_rows_with_their_shares():
    said = world(230)
    bins = alone(said, 0).bins
    assert [b.rows for b in bins] == [23] * 10
    assert sum(b.rows * b.right.value for b in bins) == pytest.approx((said.answers == said.truth).sum())
    assert all(b.right.low <= b.right.value <= b.right.high for b in bins)
    assert len(alone(world(12), 0).bins) == 1
