"""Settings that conversions from TensorFlow left the wrong way round are put right, said, and stay right."""

import json

import pytest
import torch
from torch import nn

import tiny_models
from warmstart.models.anatomy import BATCH_NORMS
from warmstart.models.config import quiet
from warmstart.models.load import load
from warmstart.models.repair import repair


def momenta(model):
    return {m.momentum for m in model.modules() if isinstance(m, BATCH_NORMS)}


def statistics(model):
    return {n: t.clone() for n, t in model.named_buffers() if n.endswith(("running_mean", "running_var"))}


@torch.no_grad()
def drift(model):
    """Largest change of a norm's statistics, beside their spread, from one forward in train mode."""
    before = statistics(model)
    model.train()(**tiny_models.batch("vit", rows=16, seed=3))
    model.eval()
    return max(float((now - before[n]).abs().max() / before[n].std()) for n, now in statistics(model).items())


@pytest.mark.parametrize(
    ("name", "momentum", "dropout"),
    [("mobilenet_v1", 1 - 0.9997, 1 - 0.999), ("mobilenet_v2", 1 - 0.997, 1 - 0.8)],
)
def test_momentum_and_dropout_of_a_mobilenet_are_turned_round_and_said(tmp_path, name, momentum, dropout):
    loaded = tiny_models.pretrained(tmp_path, name)
    assert list(momenta(loaded.module)) == [pytest.approx(momentum)]
    assert loaded.module.dropout.p == loaded.module.config.classifier_dropout_prob == pytest.approx(dropout)
    findings = {f.check: f for f in loaded.findings}
    assert set(findings) == {"batch_norm_momentum", "classifier_dropout"}
    norms = sum(isinstance(m, BATCH_NORMS) for m in loaded.module.modules())
    assert findings["batch_norm_momentum"].count == norms
    assert all("TensorFlow" in f.what for f in loaded.findings)


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2"])
def test_one_forward_in_train_mode_hardly_moves_repaired_statistics_and_wipes_out_others(tmp_path, name):
    loaded = tiny_models.pretrained(tmp_path, name)
    assert drift(tiny_models.make(name)) > 0.5
    assert drift(loaded.module) < 0.05


@torch.no_grad()
def test_what_the_model_answers_survives_one_forward_in_train_mode(tmp_path):
    model = tiny_models.pretrained(tmp_path, "mobilenet_v1").module
    given = tiny_models.batch("mobilenet_v1", rows=8)
    before = model(**given).logits
    model.train()(**tiny_models.batch("mobilenet_v1", rows=16, seed=3))
    assert (model.eval()(**given).logits - before).abs().max() < 0.05 * before.std()


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2"])
def test_a_repaired_model_is_saved_repaired_and_not_turned_back(tmp_path, name):
    loaded = tiny_models.pretrained(tmp_path / "first", name)
    with quiet():
        loaded.module.save_pretrained(tmp_path / "second")
        loaded.processor.save_pretrained(tmp_path / "second")
    rate = json.loads((tmp_path / "second" / "config.json").read_text())["classifier_dropout_prob"]
    assert rate == loaded.module.dropout.p < 0.5
    again = load(str(tmp_path / "second"), "image")
    assert again.module.dropout.p == rate
    assert [f.check for f in again.findings] == ["batch_norm_momentum"]  # which no configuration holds


@pytest.mark.parametrize("name", ["resnet-basic", "regnet", "vit", "bert"])
def test_what_is_right_is_left_alone_in_silence(name):
    model = tiny_models.make(name)
    before = momenta(model), [m.p for m in model.modules() if isinstance(m, nn.Dropout)]
    assert repair(model) == []
    assert (momenta(model), [m.p for m in model.modules() if isinstance(m, nn.Dropout)]) == before


def test_a_strong_dropout_that_somebody_chose_is_left_alone():
    model = tiny_models.make("albert")
    model.config.classifier_dropout_prob, model.dropout.p = 0.6, 0.6
    assert repair(model) == []
    assert model.dropout.p == 0.6


def test_norms_without_momentum_are_left_alone():
    model = tiny_models.make("resnet-basic")
    for module in model.modules():
        if isinstance(module, BATCH_NORMS):
            module.momentum = None
    assert repair(model) == []


def test_fresh_statistics_are_learned_within_a_few_hundred_steps(tmp_path):
    tiny_models.save(tmp_path / "model", "mobilenet_v1")
    warm, fresh = (load(str(tmp_path / "model"), "image", weights=w).module for w in (True, False))
    assert list(momenta(warm)) == [pytest.approx(0.0003)]
    assert momenta(fresh) == {0.1}
