"""Mixout: most weights are at their start while a step goes forward and back, and as they were after it."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import guard_worlds as guarded
import tune_worlds as worlds
from warmstart.adapt.edits import EDITS
from warmstart.tune.guards import GUARDS
from warmstart.tune.step import add_gradients

P = 0.6


def at_a_step(model, step=5, phase=None):
    guard, job = guarded.begun(model, {"name": "mixout", "swapped": P}, *([] if phase is None else [phase]))
    start = worlds.state(model)
    guarded.moved(model)
    job.step = step
    return guard, job, start


def masks(start, moved, inside):
    """M of the paper, read off the weights: 1 where a weight is not at its start."""
    return {n: (inside[n] != start[n]).double() for n in moved}


def test_inside_weights_are_as_the_paper_s_formula_has_them_and_the_mean_over_steps_is_the_weight():
    model = guarded.calm()
    guard, job, start = at_a_step(model)
    moved, names = worlds.state(model), list(guarded.body_of(model))
    total, kept = {n: 0.0 for n in names}, []
    for job.step in range(200):
        with guard.during(job):
            inside = worlds.state(model)
        mask = masks(start, names, inside)
        kept.append(np.mean([float(m.mean()) for m in mask.values()]))
        for n in names:
            if not job.step:
                by_formula = ((1 - mask[n]) * start[n] + mask[n] * moved[n] - P * start[n].double()) / (1 - P)
                assert float((inside[n] - by_formula).abs().max()) < 1e-6, n
            total[n] = total[n] + inside[n].double() / 200
        assert worlds.equal(worlds.state(model), moved)  # the same numbers, to the last bit
        assert worlds.equal(inside, moved, [n for n in inside if n.startswith("classifier")])
    assert np.mean(kept) == pytest.approx(1 - P, abs=0.01)
    flat, truth = (torch.cat([t[n].double().flatten() for n in names]) for t in (total, moved))
    spread = torch.cat([(moved[n] - start[n]).flatten() for n in names]).double().std()
    noise = float(spread) * (P / (1 - P) / 200) ** 0.5  # standard error of the mean of one weight
    assert float((flat - truth).square().mean().sqrt()) == pytest.approx(noise, rel=0.1)


def test_gradients_are_those_of_the_mixed_network_times_what_was_kept():
    """The oracle: a network with the mixed weights written into it, its own loss, and the chain rule."""
    model = guarded.calm()
    guard, job, start = at_a_step(model)
    names = list(guarded.body_of(model))
    with guard.during(job):
        inside = worlds.state(model)
    mask = masks(start, names, inside)
    rows = np.arange(8)
    add_gradients(job, [guard], job.splits["train"], rows, 0)
    found = {n: p.grad for n, p in model.module.named_parameters()}
    other = guarded.calm()
    other.module.load_state_dict(inside)
    split = job.splits["train"]
    cross_entropy(
        other.module(**split.inputs.batch(rows)).logits, split.targets[rows], reduction="sum"
    ).backward()
    for name, parameter in other.module.named_parameters():
        expected = parameter.grad * (mask[name] / (1 - P) if name in mask else 1)
        largest = float(expected.abs().max())
        assert float((found[name] - expected).abs().max()) < 1e-5 * largest + 1e-6, name


def test_what_rests_and_adapters_are_left_alone():
    model = EDITS.build({"name": "lora", "rank": 2, "alpha": 4}).apply(guarded.calm(), (), 0)[0]
    guard, job, _ = at_a_step(model)
    moved = worlds.state(model)
    with guard.during(job):
        assert worlds.equal(worlds.state(model), moved)
    model = guarded.calm()
    guard, job, _ = at_a_step(model, phase=worlds.phase(("top:1",)))
    moved = worlds.state(model)
    with guard.during(job):
        inside = worlds.state(model)
    assert {n for n in moved if not torch.equal(inside[n], moved[n])} == {n for n in moved if "pooler" in n}


def test_weights_come_back_when_memory_runs_out_and_the_step_is_the_same():
    """The block is entered again with half of the rows, and the same weights are kept."""
    ends = []
    for rows in (None, 3):
        model, told = guarded.calm(), []
        if rows:

            def scarce(module, args, logits, rows=rows):
                if module.training and len(logits) > rows:
                    raise torch.OutOfMemoryError("CUDA out of memory")

            model.module.classifier.register_forward_hook(scarce)
        plan = worlds.plan(worlds.phase(**guarded.SLOW), guards=({"name": "mixout", "swapped": P},))
        worlds.run("bert", plan, model, tell=told.append)
        assert bool([e for e in told if "memory ran out" in e.get("what", "")]) is bool(rows)
        ends.append(worlds.without_key_biases(worlds.state(model)))
    assert worlds.largest_difference(*ends) < 1e-6


def test_pictures_keep_their_layout_in_memory():
    """Convolutions that lie channels last stay so, gradients too."""
    model = guarded.calm("resnet-basic")
    model.module.to(memory_format=torch.channels_last)
    guard, job, _ = at_a_step(model)
    add_gradients(job, [guard], job.splits["train"], np.arange(4), 0)
    for name, p in model.module.named_parameters():
        assert p.grad.stride() == p.stride(), name


def test_nothing_swapped_is_the_plain_step_but_for_rounding():
    ends = []
    for guards in ((), ({"name": "mixout", "swapped": 0.0},)):
        plan = worlds.plan(worlds.phase(**guarded.SLOW), guards=guards)
        ends.append(worlds.without_key_biases(worlds.state(worlds.run("bert", plan, guarded.calm())[0])))
    assert worlds.largest_difference(*ends) < 1e-6
    assert GUARDS.get("mixout")().swapped == 0.7
