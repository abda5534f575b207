"""L2-SP: after a step, each weight of the body goes a share of its way back."""

import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

import guard_worlds as guarded
import tune_worlds as worlds
from warmstart.adapt.edits import EDITS
from warmstart.tune.groups import optimiser, set_rates

WEIGHT = 3.0


def pulled(model, phase, rate=0.4):
    """Names and weights before and after one pull of weights that have moved, at `rate` times their rates."""
    guard, job = guarded.begun(model, {"name": "l2_sp", "weight": WEIGHT}, phase)
    start = worlds.state(model)
    guarded.moved(model)
    stepper, before = optimiser(model.anatomy, phase), worlds.state(model)
    set_rates(stepper, rate)
    guard.moved(job, stepper)
    return start, before, worlds.state(model)


def test_the_pull_is_the_rate_of_each_layer_times_the_weight_times_the_distance():
    """The oracle: rates by the place of each layer, in double precision."""
    model, phase = guarded.calm(), worlds.phase(lr=2e-2, decay=0.7)
    start, before, after = pulled(model, phase)
    groups = ("embeddings", "layer.0", "layer.1", "layer.2", "pooler")  # five steps below the head: 0.7 ** 5
    for name in before:
        if name.startswith("classifier"):
            assert torch.equal(after[name], before[name])
            continue
        place = next(i for i, group in enumerate(groups) if group in name)
        rate = 0.4 * 2e-2 * 0.7 ** (5 - place)
        expected = before[name].double() - rate * WEIGHT * (before[name].double() - start[name].double())
        assert float((after[name].double() - expected).abs().max()) < 1e-6, name


def test_only_what_learns_in_the_phase_is_pulled():
    model = guarded.calm()
    _, before, after = pulled(model, worlds.phase(("top:1",)))
    changed = {n for n in before if not torch.equal(before[n], after[n])}
    assert changed == {n for n in before if "pooler" in n}


def test_nothing_is_pulled_back_into_adapters():
    model, _ = EDITS.build({"name": "lora", "rank": 2, "alpha": 4}).apply(guarded.calm(), (), 0)
    _, before, after = pulled(model, worlds.phase())
    adapters = [n for n in before if ".lora_" in n]
    assert adapters
    assert worlds.equal(before, after, adapters)


@pytest.mark.parametrize("name", ["l2_sp", "ewc", "mixout"])
def test_a_guard_without_anything_to_hold_says_so_and_does_nothing(name):
    phase, told, ends = worlds.phase(lr=1e-3), [], []
    for guards in ((), ({"name": name},)):
        model, _ = EDITS.build({"name": "lora", "rank": 2, "alpha": 4}).apply(guarded.calm(), (), 0)
        told.clear()
        worlds.run("bert", worlds.plan(phase, guards=guards), model, tell=told.append)
        ends.append(worlds.state(model))
    assert [e["what"] for e in told if "does nothing" in e.get("what", "")]
    assert worlds.equal(*ends)


def test_a_whole_training_is_adamw_with_a_pull_after_each_step():
    """The oracle goes through the same training without the guard, and pulls in a hook of its own."""
    phase = worlds.phase(lr=5e-3, epochs=3, decay=0.8)
    model = guarded.calm()
    names = {id(p): n for n, p in guarded.body_of(model).items()}
    start = worlds.state(model)

    def pull(stepper, args, kwargs):
        for table in stepper.param_groups:
            for parameter in table["params"]:
                if id(parameter) in names:
                    with torch.no_grad():
                        parameter -= table["lr"] * 40.0 * (parameter - start[names[id(parameter)]])

    hook = register_optimizer_step_post_hook(pull)
    try:
        worlds.run("bert", worlds.plan(phase), model)
    finally:
        hook.remove()
    plan = worlds.plan(phase, guards=({"name": "l2_sp", "weight": 40.0},))
    with_guard, _ = worlds.run("bert", plan, guarded.calm())
    ends = [worlds.without_key_biases(worlds.state(m)) for m in (model, with_guard)]
    assert worlds.largest_difference(*ends) < 2e-6


def test_a_stronger_pull_keeps_the_body_nearer_to_its_start():
    start = worlds.state(worlds.pretrained("bert"))
    distances = []
    for weight in (0.0, 10.0, 100.0):
        plan = worlds.plan(worlds.phase(lr=5e-3, epochs=4), guards=({"name": "l2_sp", "weight": weight},))
        now = worlds.state(worlds.run("bert", plan)[0])
        distances.append(sum(float((now[n] - start[n]).square().sum()) for n in now if "classifier" not in n))
    assert distances[0] > 1.5 * distances[1] > 3 * distances[2] > 0


def test_heads_are_told_from_bodies_by_the_anatomy():
    """RoBERTa holds its pooler and its head in one module; only the last linear layer is the head."""
    model = worlds.pretrained("roberta")
    guard, _ = guarded.begun(model, {"name": "l2_sp"})
    assert id(model.module.classifier.dense.weight) in guard.starts
    assert id(model.module.classifier.out_proj.weight) not in guard.starts
    assert isinstance(model.module.classifier.out_proj, nn.Linear)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_step_without_a_rate_pulls_nothing(rate):
    _, before, after = pulled(guarded.calm(), worlds.phase(), rate)
    assert worlds.equal(before, after) is (rate == 0)
