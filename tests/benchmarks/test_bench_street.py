"""The study's table shows the arm that was tuned, whatever it was called."""

import pytest

from benchmarks.street import table


def cell(planned, **accuracies):
    return {
        "set": "reviews",
        "train": 160,
        "test": 100,
        "model": "a model",
        "floor": 0.5,
        "planned": planned,
        "recommended": planned,
        "best": planned,
        "verdict": "worth it",
        "arms": {name: [value, value, value] for name, value in accuracies.items()},
        "seconds": {name: 100 * value for name, value in accuracies.items()},
    }


def columns(row):
    head, _, body = table([row]).splitlines()
    return dict(zip(head.split(" | "), body.split(" | "), strict=True))


@pytest.mark.parametrize("planned", ["partial", "gradual", "lora", "full"])
def test_the_planned_strategy_has_the_column_of_the_tuned_model(planned):
    shown = columns(cell(planned, frozen=0.5, scratch=0.25, **{planned: 0.75}))
    assert shown["tuned"] == "75.0 [75.0, 75.0]"
    assert shown["seconds"] == "50 / 75 / 25"


def test_full_tuning_is_shown_beside_a_frozen_plan():
    assert columns(cell("frozen", frozen=0.5, full=0.75, scratch=0.25))["tuned"] == "75.0 [75.0, 75.0]"


def test_nothing_was_tuned_where_the_plan_is_scratch():
    assert columns(cell("scratch", frozen=0.5, scratch=0.25))["tuned"] == "-"
