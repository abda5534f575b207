"""Adapters: nothing changes at first, only they and the head learn, folded in they leave a plain model."""

import sys

import pytest
import torch
from adapt_models import CLASSES, inputs, logits, logits_by_anatomy, reloaded, tiny
from transformers.pytorch_utils import Conv1D

from warmstart.adapt.edits.lora import Lora, linear_layers
from warmstart.adapt.merge import merge_adapters
from warmstart.base.errors import WarmstartError
from warmstart.models.anatomy import frozen_names, may_learn

KINDS = ("bert", "electra", "distilbert", "deberta-v2", "mpnet", "gpt2", "vit", "convnext")


def adapted(kind, seed=0, **settings):
    return Lora(**({"rank": 4, "alpha": 8} | settings)).apply(tiny(kind), CLASSES, seed)[0]


def trained(model, learn=("*",), steps=2):
    """The same model after some steps of gradient descent on what may learn."""
    torch.manual_seed(0)  # dropout
    model.anatomy.set_learning(learn, "frozen")
    learning = [p for p in model.module.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(learning, lr=0.5)
    for _ in range(steps):
        loss = model.anatomy.logits(inputs(model)).logsumexp(1).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_before_the_first_step_the_answers_are_those_of_the_base(kind):
    model = adapted(kind)
    assert torch.equal(logits(model), logits(tiny(kind)))
    assert torch.equal(logits_by_anatomy(model), logits(model))


@pytest.mark.parametrize("kind", KINDS)
def test_every_linear_layer_of_the_body_has_adapters_and_the_head_has_none(kind):
    base, model = tiny(kind), adapted(kind)
    head, _ = base.anatomy.head()
    linear = (torch.nn.Linear, Conv1D)
    wanted = {n for n, m in base.module.named_modules() if isinstance(m, linear)} - {head}
    found = {
        n.removesuffix(".lora_A.default")
        for n, _ in model.module.named_modules()
        if n.endswith("lora_A.default")
    }
    assert found == wanted == set(linear_layers(base.anatomy))
    assert model.anatomy.names == base.anatomy.names
    assert model.anatomy.head()[0] == head


@pytest.mark.parametrize("kind", KINDS)
def test_only_adapters_and_head_learn(kind):
    model = adapted(kind)
    before = {n: p.detach().clone() for n, p in model.module.named_parameters()}
    trained(model)
    moved = {n for n, p in model.module.named_parameters() if not torch.equal(p, before[n])}
    head = {id(p) for p in model.anatomy.parameters("head")}
    of_head = {n for n, p in model.module.named_parameters() if id(p) in head}
    assert {n for n in moved if ".lora_" not in n} == of_head
    assert {n for n in before if ".lora_B" in n} <= moved
    assert frozen_names(model.anatomy, ("*",)) >= {n for n in before if ".lora_" not in n} - of_head


def test_a_phase_of_the_head_leaves_the_adapters_alone():
    model = adapted("bert")
    before = {n: p.detach().clone() for n, p in model.module.named_parameters()}
    trained(model, learn=("head",))
    assert {n for n, p in model.module.named_parameters() if not torch.equal(p, before[n])} == {
        "classifier.weight",
        "classifier.bias",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_folded_in_the_model_is_plain_and_answers_the_same(kind, tmp_path):
    model = trained(adapted(kind))
    wanted = logits(model)
    assert (wanted - logits(tiny(kind))).abs().max() > 1e-3
    merged = merge_adapters(model)
    assert merged.module.state_dict().keys() == tiny(kind).module.state_dict().keys()
    assert torch.allclose(logits(merged), wanted, atol=1e-5, rtol=1e-5)
    assert torch.equal(logits_by_anatomy(merged), logits(merged))
    assert torch.allclose(logits(reloaded(merged, tmp_path)), wanted, atol=1e-5, rtol=1e-5)
    assert all(may_learn(p) and p.requires_grad for p in merged.module.parameters())


def test_a_folded_weight_is_the_base_plus_the_product_of_the_thin_ones():
    model = trained(adapted("bert", rank=2, alpha=6))
    layer = model.module.get_submodule("bert.encoder.layer.1.output.dense")
    thin_in, thin_out = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    wanted = (
        tiny("bert").module.get_submodule("bert.encoder.layer.1.output.dense").weight + 3 * thin_out @ thin_in
    )
    merged = merge_adapters(model).module.get_submodule("bert.encoder.layer.1.output.dense").weight
    assert torch.allclose(merged, wanted, atol=1e-6)


def test_a_model_without_adapters_comes_back_as_it_is():
    model = tiny("bert")
    assert merge_adapters(model) is model


def test_a_rank_that_equals_the_number_of_classes_does_not_hide_the_head():
    for kind in ("mpnet", "bert"):
        model = adapted(kind, rank=len(CLASSES))
        assert model.anatomy.head()[0] == tiny(kind).anatomy.head()[0]
        assert torch.equal(logits_by_anatomy(model), logits(model))


def test_adapters_come_from_the_seed_alone():
    state = torch.get_rng_state()
    first, second, other = (
        torch.cat([p.flatten() for n, p in adapted("bert", seed).module.named_parameters() if "lora_A" in n])
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_the_note_counts_what_was_added():
    model, note = Lora(rank=2).apply(tiny("bert"), CLASSES, 0)
    added = model.parameters - tiny("bert").parameters
    assert note == f"lora: adapters of rank 2 beside 19 linear layers, {added:,} parameters"
    assert added == sum(2 * (m.in_features + m.out_features) for m in bert_linears())


def bert_linears():
    model = tiny("bert")
    return [model.module.get_submodule(n) for n in linear_layers(model.anatomy)]


@pytest.mark.parametrize("kind", ["resnet", "mobilenet_v2"])
def test_a_body_without_linear_layers_is_refused(kind):
    with pytest.raises(WarmstartError, match="no linear layers") as caught:
        adapted(kind)
    assert "full" in caught.value.do


def test_adapters_are_put_in_once():
    with pytest.raises(WarmstartError, match="already has adapters"):
        Lora().apply(adapted("bert"), CLASSES, 0)


@pytest.mark.parametrize("settings", [{"rank": 0}, {"alpha": 0}, {"dropout": 1.0}, {"dropout": -0.1}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(WarmstartError, match="edit 'lora'"):
        Lora(**settings)


def test_without_peft_the_way_to_get_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(WarmstartError) as caught:
        adapted("bert")
    assert 'pip install "warmstart[lora]"' in caught.value.do
