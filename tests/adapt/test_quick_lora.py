"""The quick LoRA layer gives what peft's own gives: values, gradients, under autocast, and merged."""

import peft
import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from warmstart.adapt.edits.lora import quick_layers
from warmstart.adapt.quick_lora import QuickConv1D, QuickLinear

LAYERS = {"linear": lambda: nn.Linear(24, 40), "no bias": lambda: nn.Linear(24, 40, bias=False)}
LAYERS["conv1d"] = lambda: Conv1D(40, 24)


def both(kind, **settings):
    """peft's layer and ours, with the same weights, beside the same linear layer."""
    made = []
    for quick in (False, True):
        torch.manual_seed(0)
        module = nn.Sequential(LAYERS[kind]())
        config = peft.LoraConfig(
            r=4, lora_alpha=6, target_modules=["0"], fan_in_fan_out=kind == "conv1d", **settings
        )
        if quick:
            config._register_custom_module(quick_layers())
        peft.inject_adapter_in_model(config, module)
        module[0].lora_B["default"].weight.data.normal_()
        made.append(module)
    theirs, ours = made
    ours.load_state_dict(theirs.state_dict())
    assert type(theirs[0]) not in (QuickLinear, QuickConv1D) and isinstance(ours[0], QuickLinear)
    return theirs, ours


def answers(module, autocast=False):
    torch.manual_seed(1)
    x = torch.randn(3, 5, 24, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        out = module(x)
    out.float().square().sum().backward()
    return {"out": out.detach().float(), "x": x.grad, **{n: p.grad for n, p in module.named_parameters()}}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("autocast", [False, True])
def test_values_and_gradients_are_those_of_peft(kind, autocast):
    theirs, ours = (answers(module, autocast) for module in both(kind))
    assert theirs.keys() == ours.keys()
    for name, value in theirs.items():
        if value is None:
            assert ours[name] is None
            continue
        near = 0.03 if autocast else 2e-6
        assert float((ours[name] - value).norm()) <= near * float(value.norm()), name


@pytest.mark.parametrize(
    "settings", [{"lora_dropout": 0.5}, {"use_dora": True}, {"lora_bias": True}], ids=str
)
def test_what_is_out_of_the_ordinary_is_left_to_peft(settings):
    theirs, ours = both("linear", **settings)
    torch.manual_seed(2)
    expected = theirs(torch.ones(2, 24))
    torch.manual_seed(2)
    assert torch.equal(ours(torch.ones(2, 24)), expected)


def test_adapters_can_be_switched_off_and_merged():
    theirs, ours = both("conv1d")
    x = torch.randn(2, 24)
    with_them = ours(x)
    for module in (theirs, ours):
        module[0].enable_adapters(False)
    assert torch.equal(ours(x), theirs(x))
    ours[0].enable_adapters(True)
    ours[0].merge()
    torch.testing.assert_close(ours(x), with_them, atol=1e-5, rtol=1e-5)
