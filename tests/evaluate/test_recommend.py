"""The recommendation: the plan, unless validation rows surely say otherwise; base is never lost against."""

from dataclasses import replace

import numpy as np
import pytest
from evaluate_worlds import first, run, world

from warmstart.evaluate.metrics.accuracy import Accuracy
from warmstart.evaluate.metrics.log_loss import LogLoss
from warmstart.evaluate.metrics.macro_f1 import MacroF1
from warmstart.evaluate.recommend import recommend
from warmstart.evaluate.roles import as_it_is, cost, fine_tuned, from_scratch


def recommended(runs, planned="full", metric=None):
    return recommend(runs, metric or Accuracy(), planned)[0]


def why(runs, planned="full", metric=None):
    return recommend(runs, metric or Accuracy(), planned)[1]


def half_and_half(n):
    """Right on every second row: as good as `first(n, 0.5)`, but on other rows."""
    return np.arange(n) % 2 == 0


def on_validation(name, right, sure=0.9):
    return run(name, {"validation": right, "test": first(10, 0.5)}, sure)


def test_the_planned_run_is_recommended_where_no_other_is_surely_better():
    for planned in ("frozen", "full", "scratch"):
        near = world({"frozen": 0.710, "full": 0.715, "scratch": 0.720})
        assert recommended(near, planned) == planned
        assert why(near, planned).so == planned


def test_another_run_that_is_surely_better_overrules_the_plan():
    runs = world({"frozen": 0.9, "full": 0.7, "scratch": 0.5})
    assert recommended(runs) == "frozen"
    assert why(runs).so == "frozen; better than full by more than 2 standard errors"
    assert recommended(world({"frozen": 0.7, "full": 0.7, "scratch": 0.9})) == "scratch"


def test_of_several_that_are_surely_better_the_best_is_taken():
    assert recommended(world({"frozen": 0.8, "full": 0.5, "scratch": 0.9})) == "scratch"


@pytest.mark.parametrize(("more", "wanted"), [(3, "full"), (4, "full"), (5, "full"), (6, "frozen")])
def test_two_standard_errors_are_those_of_the_paired_rows(more, wanted):
    """k rows won of 200 and none lost, with one more of each kind."""
    runs = {
        "full": on_validation("full", first(200, 0.5)),
        "frozen": on_validation("frozen", first(200, 0.5 + more / 200)),
    }
    gains = np.concatenate([np.arange(200) < more, [1, -1]])
    assert (more / 200 > 2 * gains.std(ddof=1) / 202**0.5) == (wanted == "frozen")
    assert recommended(runs) == wanted


def test_many_swaps_hide_what_a_few_rows_would_show():
    runs = {
        "full": on_validation("full", half_and_half(200)),
        "frozen": on_validation("frozen", first(200, 0.53)),
    }
    assert recommended(runs) == "full"


@pytest.mark.parametrize("rows", [200, 2000])
def test_the_reason_tells_the_paired_standard_error(rows):
    rng = np.random.default_rng(0)
    right = {name: rng.random(rows) < 0.8 for name in ("full", "frozen")}
    runs = {name: on_validation(name, r) for name, r in right.items()}
    more = right["frozen"].astype(float) - right["full"]
    error = np.concatenate([more, [1, -1]]).std(ddof=1) / (rows + 2) ** 0.5
    assert f"({more.mean():+.3f}, standard error {error:.3f})" in why(runs).saw


def test_sureness_alone_overrules_nothing_where_accuracy_is_asked_for():
    runs = {
        "full": on_validation("full", first(300, 0.8), sure=0.9999),
        "frozen": on_validation("frozen", first(300, 0.8), sure=0.8),
    }
    assert recommended(runs) == "full"
    assert recommended(runs, metric=LogLoss()) == "frozen"


def test_a_metric_that_is_no_mean_over_rows_compares_by_log_loss():
    runs = world({"frozen": 0.9, "full": 0.7})
    assert recommended(runs, metric=MacroF1()) == "frozen"
    assert "validation log-loss" in why(runs, metric=MacroF1()).saw
    assert "validation accuracy" in why(runs).saw


def test_of_runs_that_answer_every_row_alike_the_cheapest_is_taken():
    runs = world({"frozen": 0.8, "full": 0.8, "gradual": 0.8, "scratch": 0.8})
    assert recommended(runs) == recommended(dict(reversed(runs.items()))) == "frozen"


def test_a_tuned_run_that_is_not_better_than_its_base_is_never_recommended():
    for sure in (0.5, 0.9, 0.99):
        runs = world({"base": 0.8, "frozen": 0.8, "full": 0.79}, sure=sure)
        assert recommended(runs) == "base"
        assert "full is not better than base on validation, so it is not recommended" in why(runs).so


def test_a_tuned_run_with_lower_log_loss_and_fewer_right_answers_than_its_base_is_held_back():
    base = on_validation("base", first(300, 0.8), sure=0.9999)  # surer than it should be
    full = on_validation("full", first(300, 0.75), sure=0.75)
    assert recommended({"full": full}) == "full"
    assert recommended({"full": full, "base": base}) == "base"
    frozen = on_validation("frozen", first(300, 0.95), sure=0.9)
    assert recommended({"full": full, "base": base, "frozen": frozen}) == "frozen"


def test_the_base_of_another_model_holds_nothing_back():
    full = on_validation("full", first(300, 0.75), sure=0.75)
    base = on_validation("base", first(300, 0.8), sure=0.9999)
    other = replace(base, plan=replace(base.plan, model="zoo:textures"))
    assert "so it is not recommended" in why({"full": full, "base": base}).so
    assert "so it is not recommended" not in why({"full": full, "base": other}).so


def test_test_rows_never_choose():
    runs = world({"frozen": 0.7, "full": 0.9})
    swapped = {
        name: replace(r, predictions=r.predictions | {"test": runs[other].predictions["test"]})
        for (name, r), other in zip(runs.items(), ("full", "frozen"), strict=True)
    }
    assert recommended(swapped) == recommended(runs) == "full"
    assert why(swapped) == why(runs)


def test_few_validation_rows_are_said_in_the_reason():
    assert "only 29 validation rows" in why(world({"frozen": 0.5, "full": 0.9}, validation=29)).so
    assert "only" not in why(world({"frozen": 0.5, "full": 0.9}, validation=30)).so


def test_one_validation_row_cannot_overrule_the_plan():
    runs = {"full": on_validation("full", first(1, 0.0)), "frozen": on_validation("frozen", first(1, 1.0))}
    assert recommended(runs) == "full"
    assert "only 1 validation row:" in why(runs).so


def test_roles_follow_from_the_plan_and_cost_orders_them():
    runs = world(dict.fromkeys(("scratch", "full", "lora", "frozen", "base"), 0.5))
    assert sorted(runs, key=lambda name: cost(runs[name])) == ["base", "frozen", "lora", "full", "scratch"]
    assert [name for name in runs if from_scratch(runs[name])] == ["scratch"]
    assert [name for name in runs if as_it_is(runs[name])] == ["base"]
    assert [name for name in runs if fine_tuned(runs[name])] == ["full", "lora", "frozen"]


def test_a_base_that_was_run_beside_a_scratch_plan_is_still_the_model_as_it_is():
    base = world({"base": 0.5})["base"]
    base = replace(base, plan=replace(base.plan, pretrained=False))
    assert as_it_is(base)
    assert not from_scratch(base)
