"""Frozen convolutions that take over norms and activations give the same numbers, and are put back after."""

import numpy as np
import pytest
import torch
from torch import nn

import tiny_models
from warmstart.data.images import open_image
from warmstart.models import folding, padding
from warmstart.models.anatomy import Anatomy, Group, anatomy_of, at_rest
from warmstart.models.features import keep_prefix, logits_of, pooled_features
from warmstart.models.inputs import ImageInputs
from warmstart.models.load import load
from warmstart.models.precision import BF16
from warmstart.models.processor import read_processor

FOLDS = {  # norms below the head, of which so many stand alone behind a convolution
    "mobilenet_v1": (27, 27),
    "mobilenet_v2": (52, 52),
    "resnet-basic": (11, 11),
    "resnet-bottleneck": (12, 12),
    "regnet": (20, 20),
    "efficientnet": (25, 17),
    "vit": (0, 0),
    "convnext": (0, 0),
}


def pictures(rows=5, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, 3, 64, 64), dtype=np.uint8)
    return ImageInputs(pixels, np.full(3, 1 / 64, np.float32), np.full(3, -2, np.float32))


@torch.no_grad()
def lively(model, seed=0):
    """With factors and shifts as training leaves them, and statistics of pictures."""
    source = torch.Generator().manual_seed(seed)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.weight.copy_(0.5 + torch.rand(norm.weight.shape, generator=source))
        norm.bias.copy_(torch.rand(norm.bias.shape, generator=source) - 0.5)
    if norms:
        model.train()(pictures(8).batch(range(8))["pixel_values"])
    return model.eval().to(memory_format=torch.channels_last)


def far(found, exact):
    return float((found - exact).abs().max() / exact.abs().max())


@torch.no_grad()
def in_double(anatomy, state, stop):
    anatomy.model.double()
    try:
        return anatomy.carry({"pixel_values": state["pixel_values"].double()}, 0, stop)["pooled"]
    finally:
        anatomy.model.float()


def world(name):
    return anatomy_of(lively(tiny_models.make(name)))


@pytest.mark.parametrize("name", FOLDS)
def test_folded_groups_give_what_the_plain_ones_give_and_are_themselves_again(name):
    anatomy, state = world(name), pictures().batch([0, 1, 2])
    stop = len(anatomy.groups) - 1
    before = tiny_models.weights_of(anatomy.model)
    with torch.inference_mode():
        expected = anatomy.run(state, 0, stop)["pooled"]
        with folding.folded(anatomy, pictures().batch([4]), stop) as count:
            found = anatomy.run(state, 0, stop)["pooled"]
        again = anatomy.run(state, 0, stop)["pooled"]
    norms = sum(isinstance(m, nn.BatchNorm2d) for m in folding.modules_below(anatomy, stop))
    assert (norms, count) == FOLDS[name]
    exact = in_double(anatomy, state, stop)
    assert (
        far(found, exact) <= 1.5 * far(expected, exact) + 1e-6
    )  # no further than rounding takes the plain ones
    assert far(found, exact) < 1e-4
    assert torch.equal(again, expected)
    assert all("forward" not in vars(m) for m in anatomy.model.modules())
    after = anatomy.model.state_dict()
    assert all(torch.equal(after[n], t) for n, t in before.items())


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet-basic", "regnet"])
def test_features_and_kept_prefixes_are_those_of_the_plain_layers(name, tmp_path, monkeypatch):
    anatomy, inputs = world(name), pictures(20)
    folds = pooled_features(anatomy, inputs)
    whole = logits_of(anatomy, inputs)
    for cut in (1, len(anatomy.groups) // 2, len(anatomy.groups) - 1):
        kept = keep_prefix(anatomy, inputs, cut, tmp_path, 10**9)
        assert far(logits_of(anatomy, kept, cut), whole) <= 1e-4
    monkeypatch.setattr("warmstart.models.features.can_fold", lambda *args: False)
    plain = pooled_features(anatomy, inputs)
    for group, expected in plain.items():
        assert np.abs(folds[group] - expected).max() <= 1e-4 * np.abs(expected).max()


def test_in_bfloat16_folded_layers_are_as_near_to_the_exact_ones_as_plain_ones():
    anatomy, state = world("resnet-basic"), pictures(16).batch(range(16))
    stop = len(anatomy.groups) - 1
    with torch.inference_mode():
        exact = anatomy.run(state, 0, stop)["pooled"]
        anatomy.precision = BF16
        plain = anatomy.run(state, 0, stop)["pooled"]
        with folding.folded(anatomy, pictures().batch([0]), stop) as count:
            assert count
            folds = anatomy.run(state, 0, stop)["pooled"]
    assert folds.dtype == plain.dtype
    wrong = [float((x.float() - exact).norm() / exact.norm()) for x in (plain, folds)]
    assert 0 < wrong[1] < 1.5 * wrong[0]


class Odd(nn.Module):
    """A convolution and a norm, put together in a way that `join` says."""

    def __init__(self, join):
        super().__init__()
        self.conv, self.norm, self.act, self.join = (
            nn.Conv2d(3, 3, 3, padding=1),
            nn.BatchNorm2d(3),
            nn.ReLU(),
            join,
        )

    def forward(self, x):
        return self.join(self, x)


def read_twice(m, x):
    y = m.conv(x)
    return m.norm(y) + y


def changed_between(m, x):
    return m.norm(m.conv(x) * 2)


def changed_in_place_behind(m, x):
    y = m.norm(m.conv(x))
    y += x
    return m.act(y)


def run_twice(m, x):
    return m.norm(m.conv(m.norm(m.conv(x))))


def norm_read_twice(m, x):
    y = m.norm(m.conv(x))
    return m.act(y) + y


def norm_alone(m, x):
    return m.conv(m.norm(x))


@pytest.mark.parametrize(
    ("join", "count", "clamped"),
    [
        (read_twice, 0, False),
        (changed_between, 0, False),
        (changed_in_place_behind, 1, False),
        (run_twice, 1, False),
        (norm_read_twice, 1, False),
        (norm_alone, 0, False),
        (lambda m, x: m.act(m.norm(m.conv(x))), 1, True),
        (lambda m, x: torch.relu(m.norm(m.conv(x))), 1, False),
    ],
)
def test_only_what_nobody_else_reads_is_folded(join, count, clamped):
    layer = lively(Odd(join))
    group = Group("odd", (layer,), lambda s: {"hidden": layer(s["hidden"])})
    anatomy, state = Anatomy(layer, None, [group]), {"hidden": torch.randn(2, 3, 8, 8)}
    chains = folding.find(anatomy, state, 1)
    assert [c.activation is not None for c in chains] == [clamped] * count
    with torch.inference_mode():
        expected = layer(state["hidden"])
        with folding.folded(anatomy, state, 1) as found:
            assert found == count
            assert torch.allclose(layer(state["hidden"]), expected, atol=1e-6)


def test_norms_that_still_move_and_layers_with_hooks_are_left_alone():
    layer = lively(Odd(lambda m, x: m.act(m.norm(m.conv(x)))))
    group = Group("odd", (layer,), lambda s: {"hidden": layer(s["hidden"])})
    anatomy, state = Anatomy(layer, None, [group]), {"hidden": torch.randn(2, 3, 8, 8)}
    layer.norm.train()
    assert folding.find(anatomy, state, 1) == []
    with at_rest(layer):
        assert len(folding.find(anatomy, state, 1)) == 1
        layer.conv.register_forward_hook(lambda m, args, out: out + 1)
        assert folding.find(anatomy, state, 1) == []


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2"])
@pytest.mark.parametrize("size", [64, 61, 96])
def test_convolutions_that_pad_by_themselves_give_the_same_numbers_and_gradients(name, size):
    plain, quick = (lively(tiny_models.make(name)) for _ in range(2))
    padding.quicken(quick)
    changed = [m for m in quick.modules() if getattr(getattr(m, "config", None), "tf_padding", None) is False]
    assert len(changed) > 10
    assert quick.config.to_dict() == plain.config.to_dict()
    pixels = torch.randn(2, 3, size, size)
    for model in (plain, quick):
        model(pixels).logits.logsumexp(-1).sum().backward()
    one, other = (model(pixels).logits.detach() for model in (plain, quick))
    assert torch.allclose(one, other, atol=1e-5 * float(one.abs().max()), rtol=0)
    for (n, p), q in zip(plain.named_parameters(), quick.parameters(), strict=True):
        assert torch.allclose(p.grad, q.grad, atol=1e-4 * float(p.grad.abs().max()) + 1e-7, rtol=0), n


@pytest.mark.models
@pytest.mark.parametrize("name", ["mobilenet_v2_1.0_224", "mobilenet_v1_0.25_128"])
def test_trained_weights_fold_to_1e_5(name, assets):
    anatomy = load(str(assets / "weights" / name), "image").anatomy
    photos = sorted((assets / "data" / "trashnet").rglob("*.jpg"))[:4]
    processor = read_processor(str(assets / "weights" / name), name, "image")
    state = {"pixel_values": processor([open_image(p) for p in photos], return_tensors="pt")["pixel_values"]}
    stop = len(anatomy.groups) - 1
    with torch.inference_mode():
        expected = anatomy.run(state, 0, stop)["pooled"]
        with folding.folded(anatomy, {"pixel_values": state["pixel_values"][:1]}, stop) as count:
            found = anatomy.run(state, 0, stop)["pooled"]
    assert count > 20
    assert far(found, expected) < 1e-5
