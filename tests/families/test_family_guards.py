"""One contract for every guard: a new file in the folder is tested by existing."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load, save

import tune_worlds as worlds
from warmstart.base.errors import WarmstartError
from warmstart.base.tables import known_keys
from warmstart.tune.guards import GUARDS
from warmstart.tune.job import Guard
from warmstart.tune.loop import Keeping, new_job
from warmstart.tune.retained import Retained

PHASES = (worlds.phase(("head",), epochs=2), worlds.phase(lr=3e-3, epochs=2))


@pytest.fixture(params=GUARDS.names())
def name(request):
    return request.param


def guard_of(name):
    return GUARDS.build({"name": name})


def world_of(name):
    """Texts, or pictures for a guard that refuses texts."""
    try:
        guard_of(name).begin(job_for(made("bert")))
    except WarmstartError as error:
        assert error.code == "wrong-guard"
        return "resnet-basic"
    return "bert"


def made(world):
    return worlds.pretrained(world, **({"num_hidden_layers": 1} if world == "bert" else {}))


def retained(world):
    """The model as it came, with rows of its own classes."""
    return Retained(made(world).anatomy, worlds.split(world, 9, 7))


def job_for(model):
    plan, world = worlds.plan(*PHASES), model.source
    job = new_job(model.anatomy, plan, worlds.task(world), worlds.splits(world), lambda event: None)
    job.retained = retained(world)
    return job


def run(name, keeping=None, tell=None, **options):
    world = world_of(name)
    plan = worlds.plan(*PHASES, guards=({"name": name},), **options)
    return worlds.run(world, plan, made(world), keeping, tell=tell, retained=retained(world))


def test_a_guard_says_what_it_mitigates(name):
    part = GUARDS.get(name)
    assert issubclass(part, Guard)
    assert dataclasses.is_dataclass(part)
    assert part.mitigates in ("overfitting", "forgetting", "dependency")
    assert len(GUARDS.first_line(name)) > 20


def test_a_guard_can_be_built_without_settings_and_unknown_ones_are_refused(name):
    assert all(known_keys(GUARDS.get(name)).values())
    guard_of(name)
    with pytest.raises(WarmstartError, match="no setting 'wieght'"):
        GUARDS.build({"name": name, "wieght": 1})


def test_a_training_with_the_guard_ends_and_leaves_numbers(name):
    model, trained = run(name)
    assert trained.proofs["frozen_unmoved"]
    assert all(bool(torch.isfinite(t).all()) for t in worlds.state(model).values())
    assert not any(module.training for module in model.module.modules())


def test_two_trainings_with_the_guard_are_the_same(name):
    (one, first), (other, second) = run(name), run(name)
    assert worlds.equal(worlds.state(one), worlds.state(other))
    assert first.history == second.history


def test_beginning_changes_no_weight(name):
    model = made(world_of(name))
    before = worlds.state(model)
    guard_of(name).begin(job_for(model))
    assert worlds.equal(worlds.state(model), before)


def test_a_penalty_is_one_number_from_zero_that_can_be_learned_from(name):
    model = made(world_of(name))
    job, guard = job_for(model), guard_of(name)
    guard.begin(job)
    job.phase = 1
    model.anatomy.set_learning(("*",), "frozen")
    guard.enter(job)
    with torch.no_grad():
        for parameter in model.module.parameters():
            parameter.add_(0.01)
    penalty = guard.penalty(job)
    if penalty is not None:
        assert penalty.shape == ()
        assert penalty.item() > 0
        penalty.backward()


def test_what_a_guard_keeps_survives_a_disk(name):
    """Numbers go through JSON, tensors through safetensors; the guard acts as if nothing had happened."""
    models = [made(world_of(name)) for _ in range(2)]
    jobs, guards = [job_for(m) for m in models], [guard_of(name) for _ in models]
    for job, guard in zip(jobs, guards, strict=True):
        guard.begin(job)
    for loss in (1.0, 0.8, 0.9):
        with torch.no_grad():
            for model in models:
                model.anatomy.head()[1].bias.add_(0.1)
        guards[0].watch(jobs[0], {"validation_loss": loss, "validation_accuracy": 0.5})
    numbers, tensors = guards[0].state()
    guards[1].restore(json.loads(json.dumps(numbers)), load(save(tensors)) if tensors else {})
    for job, guard in zip(jobs, guards, strict=True):
        guard.watch(job, {"validation_loss": 0.95, "validation_accuracy": 0.5})
        guard.finish(job)
    assert worlds.equal(*map(worlds.state, models))
    assert jobs[0].stop == jobs[1].stop


class Broken(Exception):
    """Off."""


@pytest.mark.parametrize("looks", [2, 4])
def test_a_training_with_the_guard_can_be_broken_off_and_ends_the_same(name, looks, tmp_path):
    whole, expected = run(name)
    seen = 0

    def tell(event):
        nonlocal seen
        seen += event["event"] == "look"
        if seen == looks:
            raise Broken

    keeping = Keeping(checkpoints=tmp_path, save_seconds=0.0)
    with pytest.raises(Broken):
        run(name, keeping, tell)
    model, trained = run(name, keeping)
    assert worlds.equal(worlds.state(model), worlds.state(whole))
    assert trained.history == expected.history
