"""An activation that torch computes in one pass is the one that transformers writes out."""

import torch
from torch import nn
from transformers.activations import FastGELUActivation, NewGELUActivation, SiLUActivation

from warmstart.models.activation import quicken


def test_values_and_gradients_are_the_same_to_rounding():
    for kind in (NewGELUActivation, FastGELUActivation):
        model = nn.Sequential(kind())
        x = torch.linspace(-9, 9, 2001, dtype=torch.float64, requires_grad=True)
        plain = model(x)
        quicken(model)
        assert type(model[0]) is nn.GELU
        quick = model(x)
        torch.testing.assert_close(quick, plain, atol=1e-6, rtol=0)
        slopes = [torch.autograd.grad(y.sum(), x)[0] for y in (plain, quick)]
        torch.testing.assert_close(*slopes, atol=1e-6, rtol=0)


def test_other_activations_are_left_alone():
    model = nn.Sequential(SiLUActivation(), nn.GELU())
    before = list(model)
    quicken(model)
    assert list(model) == before
