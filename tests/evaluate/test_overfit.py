"""Overfitting: the gap, its interval, and when it is an alarm."""

import numpy as np
import pytest
from evaluate_worlds import first, run

from warmstart.evaluate.overfit import overfitting, rises_since_minimum


def history(*losses):
    return tuple({"phase": 0, "epoch": i, "validation_loss": loss} for i, loss in enumerate(losses))


def trained(train, test, *losses, rows=400):
    right = {"train": first(rows, train), "test": first(rows, test), "validation": first(9, 1.0)}
    return overfitting(run("full", right, history=history(*losses)))


RISING, FALLING = (0.9, 0.5, 0.6, 0.7), (0.9, 0.7, 0.6, 0.5)


def test_a_wide_gap_and_a_rising_validation_loss_are_strong():
    assert trained(1.0, 0.8, *RISING).verdict == "strong"


def test_a_wide_gap_alone_is_some():
    assert trained(1.0, 0.8, *FALLING).verdict == "some"
    assert trained(1.0, 0.8, 0.9, 0.5, 0.6).verdict == "some"  # one evaluation is not two
    assert trained(1.0, 0.8).verdict == "some"


def test_a_narrow_gap_is_some_however_the_loss_rose():
    found = trained(0.9, 0.85, *RISING, rows=1000)
    assert 0 < found.gap.low < 0.05
    assert found.verdict == "some"


def test_a_gap_that_few_rows_cannot_show_is_none_seen():
    assert trained(0.9, 0.8, *RISING, rows=20).verdict == "none seen"
    assert trained(0.8, 0.9, *RISING).verdict == "none seen"


def test_the_gap_is_train_minus_test_accuracy_and_the_sentence_has_the_numbers():
    found = trained(0.99, 0.86, *RISING)
    assert found.gap.value == pytest.approx(0.13)
    assert found.gap.low < 0.13 < found.gap.high
    assert found.sentence == (
        "answers 99.0 % of 400 training rows and 86.0 % of 400 test rows correctly, a gap of 13.0 points "
        "(95 % interval 9.6 to 16.8); the validation loss was above its minimum in the last 2 evaluations"
    )


def test_a_run_without_training_rows_has_no_gap():
    assert overfitting(run("full", {"test": first(9, 0.5), "validation": first(9, 0.5)})) is None
    assert overfitting(run("full", {"train": first(0, 1.0), "test": first(9, 0.5)})) is None


@pytest.mark.parametrize(
    ("losses", "rises"),
    [
        ((), 0),
        ((0.5,), 0),
        (RISING, 2),
        (FALLING, 0),
        ((0.5, 0.5, 0.6), 1),
        ((0.5, None, 0.6, np.nan, 0.7), 2),
    ],
)
def test_rises_are_the_evaluations_since_the_last_minimum(losses, rises):
    assert rises_since_minimum(history(*losses)) == rises


def test_evaluations_without_a_validation_loss_do_not_count():
    assert rises_since_minimum(({"epoch": 0, "train_loss": 1.0}, *history(0.5, 0.6))) == 1


def test_of_training_rows_that_were_all_asked_only_the_test_rows_leave_a_doubt():
    from warmstart.evaluate.intervals import newcombe, wilson

    one = run("full", {"train": first(400, 0.9), "test": first(200, 0.8)})
    low, high = wilson(160, 200)
    whole = overfitting(one, taught=400).gap
    assert (whole.low, whole.high) == pytest.approx((0.9 - high, 0.9 - low))
    assert whole.how == "Newcombe; 400 of 400 training rows"
    half, unknown = overfitting(one, taught=800).gap, overfitting(one).gap
    assert unknown.low < half.low < whole.low
    assert (unknown.low, unknown.high) == newcombe(360, 400, 160, 200)


@pytest.mark.parametrize("taught", [300, 1200])
def test_the_gap_is_held_nineteen_times_in_twenty(taught):
    """300 of the training rows are asked; the truth is the accuracy on all of them, and on all other rows."""
    rng, worlds, held = np.random.default_rng(taught), 600, 0
    for _ in range(worlds):
        train = rng.random(taught) < 0.9
        one = run("full", {"train": rng.permutation(train)[:300], "test": rng.random(200) < 0.75})
        gap = overfitting(one, taught).gap
        held += gap.low <= train.mean() - 0.75 <= gap.high
    assert 0.925 <= held / worlds <= 0.975
