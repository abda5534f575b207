"""The recommendation: validation rows choose, the cheaper of equals wins, base is never lost against."""

from dataclasses import replace

import numpy as np
import pytest
from evaluate_worlds import first, run, world

from warmstart.evaluate.metrics.accuracy import Accuracy
from warmstart.evaluate.recommend import recommend
from warmstart.evaluate.roles import as_it_is, cost, fine_tuned, from_scratch


def recommended(runs):
    return recommend(runs, Accuracy())[0]


def why(runs):
    return recommend(runs, Accuracy())[1]


def half_and_half(n):
    """Right on every second row: as good as `first(n, 0.5)`, but on other rows."""
    return np.arange(n) % 2 == 0


def on_validation(name, right, sure=0.9):
    return run(name, {"validation": right, "test": first(10, 0.5)}, sure)


def test_the_run_that_is_clearly_better_on_validation_is_recommended():
    assert recommended(world({"frozen": 0.7, "full": 0.9, "scratch": 0.5})) == "full"


def test_a_cheaper_run_within_one_standard_error_is_preferred():
    runs = {
        "full": on_validation("full", first(200, 0.51)),
        "frozen": on_validation("frozen", half_and_half(200)),
    }
    assert recommended(runs) == "frozen"
    assert why(runs).so == "frozen; cheaper than full and within one standard error of it"


def test_the_difference_is_paired_so_a_small_but_steady_one_counts():
    """Two more rows right and none lost is more than one standard error; two more among many swaps is not."""
    runs = {name: on_validation(name, first(200, share)) for name, share in (("full", 0.51), ("frozen", 0.5))}
    assert recommended(runs) == "full"


@pytest.mark.parametrize("rows", [200, 2000])
def test_one_standard_error_is_that_of_the_paired_log_loss(rows):
    rng = np.random.default_rng(0)
    right = {name: rng.random(rows) < 0.8 for name in ("full", "frozen")}
    runs = {name: on_validation(name, r) for name, r in right.items()}
    losses = {name: np.where(r, -np.log(0.9), -np.log(0.05)) for name, r in right.items()}
    excess = losses["frozen"] - losses["full"]
    assert f"{abs(excess.mean()):.3f}, standard error {excess.std(ddof=1) / rows**0.5:.3f})" in why(runs).saw


def test_scratch_is_recommended_only_beyond_one_standard_error():
    near = {
        "full": on_validation("full", half_and_half(200)),
        "scratch": on_validation("scratch", first(200, 0.51)),
    }
    assert recommended(near) == "full"
    assert recommended(world({"frozen": 0.7, "full": 0.7, "scratch": 0.9})) == "scratch"


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


def test_the_base_of_another_model_holds_nothing_back():
    full = on_validation("full", first(300, 0.75), sure=0.75)
    base = on_validation("base", first(300, 0.8), sure=0.9999)
    other = replace(base, plan=replace(base.plan, model="zoo:textures"))
    assert recommended({"full": full, "base": other}) == "full"


def test_test_rows_never_choose():
    runs = world({"frozen": 0.7, "full": 0.9})
    swapped = {
        name: replace(r, predictions=r.predictions | {"test": runs[other].predictions["test"]})
        for (name, r), other in zip(runs.items(), ("full", "frozen"), strict=True)
    }
    assert recommended(swapped) == recommended(runs) == "full"
    assert why(swapped) == why(runs)


def test_the_order_of_the_runs_does_not_matter():
    runs = world({"full": 0.8, "gradual": 0.8, "lora": 0.8, "scratch": 0.8})
    assert recommended(runs) == recommended(dict(reversed(runs.items()))) == "lora"


def test_few_validation_rows_are_said_in_the_reason():
    assert "only 29 validation rows" in why(world({"frozen": 0.5, "full": 0.9}, validation=29)).so
    assert "only" not in why(world({"frozen": 0.5, "full": 0.9}, validation=30)).so


def test_one_validation_row_cannot_speak_for_the_dearer_run():
    runs = {"full": on_validation("full", first(1, 1.0)), "frozen": on_validation("frozen", first(1, 0.0))}
    assert recommended(runs) == "frozen"
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
