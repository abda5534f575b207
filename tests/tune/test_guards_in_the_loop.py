"""Whichever way a step is taken, guards do the same: in parts, behind a cache, by two processes, resumed."""

import sys
from pathlib import Path

import pytest
import torch

import guard_worlds as guarded
import tune_worlds as worlds
from warmstart.base.errors import WarmstartError
from warmstart.tune.guards import GUARDS
from warmstart.tune.loop import Keeping, tune

sys.path.append(str(Path(__file__).parents[1] / "faults"))

from crews import together

TABLES = {
    "l2_sp": {"weight": 300.0},
    "ewc": {"weight": 30.0},
    "lwf": {"weight": 0.3},  # at first its gradient is but rounding, which Adam makes much of
    "replay": {"share": 0.5},
    "ema": {"decay": 0.5},
    "mixout": {"swapped": 0.5},
    "label_smoothing": {},
    "flow": {},
    "lines": {},
    "wise_ft": {},
    "early_stop": {"criterion": "GL", "on": "accuracy"},
    "bss": {"weight": 0.1},
    "r3f": {"weight": 1.0, "spread": 0.1},
    "mixup": {"alpha": 1.0},
}
OF_PARTS = ("bss", "r3f", "mixup")  # say themselves that they depend on which rows go through together
OF_PLACE = ("r3f", "mixup")  # say themselves that they act where the rows stand
SLOW = worlds.phase(**guarded.SLOW)


def table(name):
    return {"name": name, **TABLES[name]}


def trained(name, plan, keeping=None, crew=None):
    world = "resnet-basic" if name == "mixup" else "bert"
    model, crews = guarded.calm(world), {} if crew is None else {"crew": crew}
    known = guarded.retained(world, rows=9)
    splits = worlds.splits(world)
    tune(model, plan, worlds.task(world), splits, keeping, retained=known, **crews)
    return worlds.without_key_biases(worlds.state(model))


def test_every_guard_is_tried_here():
    assert set(TABLES) == set(GUARDS.names()), "give TABLES settings for each guard"


@pytest.mark.parametrize("name", [n for n in TABLES if n not in OF_PARTS])
def test_parts_of_a_batch_end_in_the_same_weights(name):
    ends = [
        trained(name, worlds.plan(SLOW, guards=(table(name),), micro_batch=size)) for size in (0, 3)
    ]  # fmt: skip
    assert worlds.largest_difference(*ends) < 1e-6


@pytest.mark.parametrize("name", OF_PARTS)
def test_a_guard_that_depends_on_the_parts_says_so(name):
    said = " ".join((GUARDS.get(name).__doc__ or "").split())
    assert "micro_batch" in said or "parts" in said, name


@pytest.mark.parametrize("name", [n for n in TABLES if n not in OF_PLACE])
def test_a_cached_prefix_changes_nothing_but_rounding(name, tmp_path):
    phases = (worlds.phase(("head",), lr=1e-3), worlds.phase(("top:2",), lr=1e-4))
    plan = worlds.plan(*phases, guards=(table(name),))
    ends = [trained(name, plan, Keeping(cache, thrifty=False)) for cache in (None, tmp_path)]
    assert worlds.largest_difference(*ends) < 1e-5


@pytest.mark.parametrize("name", [n for n in TABLES if n not in OF_PARTS])
def test_two_processes_end_where_one_does(name):
    plan = worlds.plan(SLOW, guards=(table(name),))
    alone = trained(name, plan)
    for _, weights in together(lambda crew: ({}, trained(name, plan, crew=crew)), 2):
        assert worlds.largest_difference(alone, weights) < 1e-6


@pytest.mark.parametrize("name", OF_PARTS)
def test_two_processes_agree_with_each_other(name):
    plan = worlds.plan(SLOW, guards=(table(name),))
    one, other = (weights for _, weights in together(lambda crew: ({}, trained(name, plan, crew=crew)), 2))
    assert worlds.equal(one, other)


def test_what_should_be_remembered_may_not_change_in_the_midst_of_a_training(tmp_path):
    plan = worlds.plan(worlds.phase(), guards=(table("replay"),))
    keeping = Keeping(checkpoints=tmp_path, save_seconds=0.0)
    for rows, told in ((9, None), (8, "what should be remembered is of another model, or other rows")):
        known = guarded.retained(rows=rows)
        if told is None:
            worlds.run("bert", plan, guarded.calm(), keeping, retained=known)
            continue
        with pytest.raises(WarmstartError, match=told):
            worlds.run("bert", plan, guarded.calm(), keeping, retained=known)


def test_guards_stand_beside_each_other():
    names = ("early_stop", "ema", "l2_sp", "ewc", "lwf", "replay", "label_smoothing", "flow", "r3f", "bss")
    plan = worlds.plan(
        worlds.phase(("head",), solver="logistic"), worlds.phase(lr=1e-4),
        guards=(*map(table, names), table("mixout"), table("lines")),
    )  # fmt: skip
    model, done = worlds.run("bert", plan, retained=guarded.retained(rows=9))
    assert done.proofs["frozen_unmoved"]
    assert all(bool(torch.isfinite(t).all()) for t in worlds.state(model).values())
