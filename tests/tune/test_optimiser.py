"""What the optimiser may touch, how fast, and with which decay."""

import numpy as np
import pytest
import torch
import transformers
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

import tiny_models
import tune_worlds as worlds
from warmstart.models.anatomy import anatomy_of
from warmstart.tune.groups import decayed_parameters, optimiser
from warmstart.tune.schedule import factor

NORMS = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm2d)
SHIFTS = ("bias", "cls_token", "mask_token", "position_embeddings", "scale", "lambda", "gamma", "beta")


@pytest.mark.parametrize("name", tiny_models.NAMES)
def test_only_what_multiplies_inputs_decays(name):
    model = tiny_models.make(name)
    decayed = decayed_parameters(model)
    owners = {
        f"{path}.{n}": m for path, m in model.named_modules() for n, _ in m.named_parameters(recurse=False)
    }
    for path, parameter in model.named_parameters():
        owner = owners[path]
        kind = type(owner).__name__
        last = path.rsplit(".", 1)[-1]
        rests = isinstance(owner, (*NORMS, nn.Embedding)) or "Norm" in kind or any(s in last for s in SHIFTS)
        multiplies = isinstance(owner, (nn.Linear, nn.Conv1d, nn.Conv2d)) or kind == "Conv1D"
        assert rests is not (multiplies and path.endswith("weight")), path
        assert (id(parameter) in decayed) is not rests, path
    assert decayed


@pytest.mark.parametrize(
    ("name", "still"),
    [
        ("bert", ["LayerNorm.weight", "embeddings.word_embeddings.weight", "query.bias"]),
        ("deberta-v2", ["encoder.rel_embeddings.weight", "LayerNorm.weight"]),
        ("dinov2", ["cls_token", "position_embeddings", "layer_scale1.lambda1", "norm1.weight"]),
        ("swin", ["relative_position_bias_table", "layernorm_before.weight"]),
        ("convnext", ["layer_scale_parameter", "layernorm.weight"]),
        ("resnet-basic", ["normalization.weight", "normalization.bias"]),
        ("mobilenet_v2", ["normalization.weight", "normalization.bias"]),
    ],
)
def test_named_tables_tokens_scales_and_norms_do_not_decay(name, still):
    model = tiny_models.make(name)
    decayed = decayed_parameters(model)
    for ending in still:
        found = [p for n, p in model.named_parameters() if n.endswith(ending)]
        assert found, ending
        assert not {id(p) for p in found} & decayed, ending


def test_a_table_that_is_also_a_linear_layer_does_not_decay():
    model = nn.Module()
    model.table, model.out, model.attention = nn.Embedding(5, 4), nn.Linear(4, 5), nn.MultiheadAttention(4, 2)
    model.out.weight = model.table.weight
    decayed = decayed_parameters(model)
    assert id(model.table.weight) not in decayed
    assert id(model.attention.in_proj_weight) in decayed
    assert id(model.attention.in_proj_bias) not in decayed


@pytest.mark.parametrize("name", tiny_models.NAMES)
@pytest.mark.parametrize("learn", [("*",), ("top:1",), ("head",)])
def test_the_optimiser_holds_what_learns_once_and_nothing_else(name, learn):
    anatomy = anatomy_of(tiny_models.make(name))
    anatomy.set_learning(learn, "frozen")
    phase = worlds.phase(learn, lr=1e-2, decay=0.5, weight_decay=0.3)
    stepper = optimiser(anatomy, phase)
    held = [id(p) for table in stepper.param_groups for p in table["params"]]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in anatomy.model.parameters() if p.requires_grad}
    decayed = decayed_parameters(anatomy.model)
    rates = anatomy.rates(learn, 0.5)
    group_of = {id(p): g.name for g in anatomy.groups for p in g.parameters()}
    for table in stepper.param_groups:
        for parameter in table["params"]:
            assert table["full_lr"] == pytest.approx(1e-2 * rates[group_of[id(parameter)]])
            assert table["weight_decay"] == (0.3 if id(parameter) in decayed else 0.0)


@pytest.mark.parametrize(("head_lr", "expected"), [(0.0, 1e-3), (5e-3, 5e-3)])
def test_the_head_may_have_a_rate_of_its_own(head_lr, expected):
    anatomy = anatomy_of(tiny_models.make("bert"))
    anatomy.set_learning(("*",), "frozen")
    stepper = optimiser(anatomy, worlds.phase(lr=1e-3, decay=0.5, head_lr=head_lr))
    head = {id(p) for p in anatomy.parameters("head")}
    rates = {id(p): table["full_lr"] for table in stepper.param_groups for p in table["params"]}
    assert {rates[i] for i in head} == {expected}
    assert {rate for i, rate in rates.items() if i not in head} == {1e-3 * 0.5**n for n in range(1, 6)}


@pytest.mark.parametrize("name", ["bert", "gpt2", "resnet-basic", "dinov2", "swin", "modernbert"])
@pytest.mark.parametrize("learn", [("*",), ("top:2",)])
def test_each_tensor_that_learns_moves_and_each_frozen_one_stands_still(name, learn):
    model = worlds.pretrained(name)
    before = worlds.state(model)
    size = 32 if name == "resnet-basic" else 64
    data = worlds.splits(name, train=8, validation=3, size=size)
    worlds.run(name, worlds.plan(worlds.phase(learn, lr=1e-3, epochs=1)), model, data=data)
    chosen = {id(p) for n in model.anatomy.chosen(learn) for p in model.anatomy.parameters(n)}
    for path, parameter in model.module.named_parameters():
        moved = not torch.equal(parameter.detach(), before[path])
        unread = path.endswith("mask_token")  # which no input asks for
        assert moved is (id(parameter) in chosen and not unread), path


def test_decay_pulls_only_what_decays():
    """With a gradient of zero, AdamW moves a weight by decay alone."""
    anatomy = anatomy_of(tiny_models.make("bert"))
    anatomy.set_learning(("*",), "frozen")
    before = tiny_models.weights_of(anatomy.model)
    stepper = optimiser(anatomy, worlds.phase(lr=0.1, weight_decay=0.5))
    for parameter in anatomy.model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    stepper.step()
    decayed = decayed_parameters(anatomy.model)
    for path, parameter in anatomy.model.named_parameters():
        share = 0.95 if id(parameter) in decayed else 1.0
        assert torch.allclose(parameter.detach(), share * before[path], atol=1e-6), path


def oracle(schedule, warmup_steps, total):
    """Factors of transformers' schedule at steps 0 to total - 1."""
    stepper = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    known = {"constant": "constant_with_warmup"}.get(schedule, schedule)
    plan = transformers.get_scheduler(known, stepper, warmup_steps, total)
    factors = []
    for _ in range(total):
        factors.append(stepper.param_groups[0]["lr"])
        stepper.step()
        plan.step()
    return factors


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
@pytest.mark.parametrize(
    ("warmup", "total"), [(0.0, 10), (0.1, 10), (0.1, 37), (0.5, 8), (0.06, 200), (1.0, 5), (0.1, 1)]
)
def test_rates_are_those_of_transformers_but_begin_above_zero(schedule, warmup, total):
    """Ours warms up a step earlier: a first step at rate 0 would teach nothing."""
    phase = worlds.phase(schedule=schedule, warmup=warmup)
    rising = round(warmup * total)
    found = [factor(phase, step, total) for step in range(total)]
    expected = oracle(schedule, rising, total)
    assert found[rising:] == pytest.approx(expected[rising:])
    assert found[:rising] == pytest.approx([*expected[1:rising], 1.0][:rising])
    assert all(0 < f <= 1 for f in found)
    assert max(found) == 1


def test_every_step_has_the_rate_of_the_schedule_and_of_its_depth():
    rates = []

    def note(stepper, args, kwargs):
        rates.append({table["lr"] for table in stepper.param_groups})

    phase = worlds.phase(lr=1e-3, epochs=3, decay=0.5, warmup=0.2, schedule="cosine")
    hook = register_optimizer_step_pre_hook(note)
    try:
        _, trained = worlds.run("bert", worlds.plan(phase))
    finally:
        hook.remove()
    depths = 0.5 ** np.arange(6)
    assert len(rates) == 9
    for step, found in enumerate(rates):
        assert sorted(found) == pytest.approx(sorted(1e-3 * factor(phase, step, 9) * depths))
    assert [look["lr"] for look in trained.history] == pytest.approx(
        [0.0, *(max(rates[i]) for i in (2, 5, 8))]
    )
