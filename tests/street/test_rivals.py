"""The rivals of a plan: those that would otherwise be missing, and from scratch the very same network."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "decide"))

from decide_facts import depths, image, text

from warmstart.decide.choose import plan_for
from warmstart.street.training import rival_plans

POOLED = text(depths=depths(0.6, 0.6, 0.7, 0.8, 0.7, 0.6, 0.6, pooler=0.5))


@pytest.mark.parametrize(
    ("strategy", "rivals"),
    [
        ("full", ["frozen", "scratch"]),
        ("frozen", ["full", "scratch"]),
        ("scratch", ["frozen"]),
        ("lora", ["frozen", "scratch"]),
    ],
)
@pytest.mark.parametrize("facts", [POOLED, image()], ids=["text", "image"])
def test_a_plan_has_the_rivals_that_it_is_not_itself(strategy, rivals, facts):
    assert list(rival_plans(plan_for(strategy, facts, "m"), facts)) == rivals


def test_a_plan_that_only_has_the_name_of_a_rival_does_not_take_its_place():
    plan = plan_for("scratch", POOLED, "m")
    mine = replace(plan, phases=(replace(plan.phases[0], lr=0.1),))
    rivals = rival_plans(mine, POOLED)
    assert list(rivals) == ["frozen", "scratch-default"]
    assert rivals["scratch-default"].phases == plan.phases


@pytest.mark.parametrize("strategy", ["full", "partial", "frozen", "lora"])
def test_scratch_has_the_shape_of_the_plan_s_network(strategy):
    plan = plan_for(strategy, POOLED, "m")
    scratch = rival_plans(plan, POOLED)["scratch"]
    assert {"name": "mean_pool"} in scratch.edits
    assert scratch.edits == tuple(e for e in plan.edits if e["name"] != "lora")


@pytest.mark.parametrize("times", [0.5, 1, 2])
def test_scratch_takes_as_many_times_more_epochs_as_the_plan(times):
    plan = plan_for("full", POOLED, "m")
    epochs = plan.phases[-1].epochs
    mine = replace(plan, phases=(*plan.phases[:-1], replace(plan.phases[-1], epochs=round(epochs * times))))
    assert rival_plans(mine, POOLED)["scratch"].phases[0].epochs == 2 * round(epochs * times)


def test_beside_frozen_layers_scratch_has_the_epochs_of_its_rule():
    rivals = rival_plans(plan_for("frozen", POOLED, "m"), POOLED)
    assert rivals["scratch"].phases == plan_for("scratch", POOLED, "m").phases
