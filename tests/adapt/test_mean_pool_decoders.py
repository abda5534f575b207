"""A decoder's layer that averages: the last token is the mean of its row, in the plain architecture."""

import copy

import numpy as np
import pytest
import torch
from torch.nn.functional import layer_norm

import tiny_models
from warmstart.adapt.edits.drop_layers import DropLayers
from warmstart.adapt.edits.mean_pool import MeanPool
from warmstart.base.errors import WarmstartError
from warmstart.models.anatomies._mean_layer import SHARP, repeated
from warmstart.models.anatomy import anatomy_of
from warmstart.models.config import quiet
from warmstart.models.load import Pretrained

WINDOWED = "mistral"  # every layer looks back a few tokens only
DECODERS = [n for n in tiny_models.CAUSAL if n != WINDOWED]
CENTRED = ("gpt2", "gpt_neox")  # their norms take the mean over the width away


def wrapped(model):
    return Pretrained("tiny", model, None, anatomy_of(model), "text", ("a", "b", "c"))


def pooled(kind):
    return MeanPool().apply(wrapped(tiny_models.make(kind)), (), 0)[0]


@torch.no_grad()
def answer(model, given):
    return model(**given).logits


@torch.no_grad()
def read(model, given):
    """What the head reads."""
    anatomy = model.anatomy
    return anatomy.groups[-2].read(anatomy.run(given, 0, len(anatomy.groups) - 1))


@torch.no_grad()
def mean_over_tokens(kind, given):
    """Row by row, of what transformers itself gives at the top, and the size of the last token below it."""
    model = tiny_models.make(kind)
    hidden_BLD = model.base_model(**given).last_hidden_state
    lengths = given["attention_mask"].sum(1)
    return torch.stack([row[:length].mean(0) for row, length in zip(hidden_BLD, lengths, strict=True)])


@pytest.mark.parametrize("kind", DECODERS)
def test_the_head_reads_the_normed_mean_of_the_row(kind):
    given = tiny_models.batch(kind)
    mean_BD = mean_over_tokens(kind, given)
    if kind in CENTRED:
        wanted_BD = layer_norm(mean_BD, mean_BD.shape[1:])
    else:
        wanted_BD = mean_BD / mean_BD.square().mean(-1, keepdim=True).sqrt()
    got_BD = read(pooled(kind), given)
    assert torch.allclose(got_BD, wanted_BD, atol=10 / SHARP)
    assert wanted_BD.std(0).mean() > 100 / SHARP


@pytest.mark.parametrize("kind", DECODERS)
def test_the_anatomy_the_module_and_the_reloaded_module_agree(kind, tmp_path):
    model, given = pooled(kind), tiny_models.batch(kind)
    expected = answer(model.module, given)
    assert torch.equal(model.anatomy.logits(given), expected)
    with quiet():
        model.module.save_pretrained(tmp_path)
        again = type(model.module).from_pretrained(tmp_path).eval()
    assert torch.allclose(answer(again, given), expected, atol=1e-6, rtol=0)
    assert model.anatomy.names == ("embeddings", *(f"layer.{i}" for i in range(4)), "norm", "head")


@pytest.mark.parametrize("kind", DECODERS)
def test_padding_does_not_matter(kind):
    model, given = pooled(kind), tiny_models.batch(kind)
    alone = {name: value[1:2, : int(given["attention_mask"][1].sum())] for name, value in given.items()}
    assert torch.allclose(answer(model.module, alone)[0], answer(model.module, given)[1], atol=1e-5)


@pytest.mark.parametrize("kind", ["qwen2", "gemma"])
def test_writing_grouped_keys_and_values_out_changes_no_answer(kind):
    """With the added layer taken off again and the last norm as it was, the model answers as before."""
    before, given = tiny_models.make(kind), tiny_models.batch(kind)
    model = pooled(kind).module
    config, body = model.config, model.base_model
    assert config.num_key_value_heads == config.num_attention_heads > before.config.num_key_value_heads
    anatomy_of(model).part.keep_layers(model, len(body.layers) - 1)
    body.norm.load_state_dict(before.base_model.norm.state_dict())
    model.score.load_state_dict(before.score.state_dict())
    assert torch.allclose(answer(model, given), answer(before, given), atol=1e-6)


def test_keys_and_values_stay_grouped_where_they_are_wide_enough():
    """Qwen3's heads may be so wide that a few of them carry a token."""
    model = tiny_models.make("qwen3")
    assert model.config.num_key_value_heads * model.config.head_dim >= model.config.hidden_size
    grouped = MeanPool().apply(wrapped(model), (), 0)[0].module
    assert grouped.config.num_key_value_heads < grouped.config.num_attention_heads


def test_heads_are_repeated_one_by_one():
    linear = torch.nn.Linear(3, 4)
    wide = repeated(linear, 2, 3)
    x = torch.randn(5, 3)
    heads = linear(x).view(5, 2, 2)
    expected = torch.cat([heads[:, [0]]] * 3 + [heads[:, [1]]] * 3, 1).flatten(1)
    assert torch.allclose(wide(x), expected, atol=1e-6)


def test_where_every_layer_has_a_window_there_is_no_place_for_it():
    model = wrapped(tiny_models.make(WINDOWED))
    given = tiny_models.batch(WINDOWED)
    before = answer(model.module, given)
    assert not model.anatomy.part.can_pool(model.module)
    with pytest.raises(WarmstartError, match="mean_pool out"):
        MeanPool().apply(model, (), 0)
    assert torch.equal(answer(model.module, given), before)
    free = tiny_models.make(WINDOWED, sliding_window=None)
    assert anatomy_of(free).part.can_pool(free)


def test_an_added_layer_sees_the_whole_row_where_those_below_it_have_a_window():
    model, given = pooled("qwen2"), tiny_models.batch("qwen2")
    config = model.module.config
    assert config.layer_types == [
        "full_attention", "sliding_attention", "sliding_attention", "full_attention"
    ]  # fmt: skip
    assert given["attention_mask"].sum(1).max() > config.sliding_window


@pytest.mark.parametrize("kind", DECODERS)
def test_it_learns_like_any_other_layer(kind):
    model, given = pooled(kind), tiny_models.batch(kind)
    model.anatomy.set_learning(("*",), "learn")
    before = copy.deepcopy(model.module.state_dict())
    loss = model.module(**given).logits.logsumexp(1).sum()
    loss.backward()
    parameters = list(model.anatomy.groups[-3].parameters())
    assert all(torch.isfinite(p.grad).all() for p in parameters)
    assert sum(float(p.grad.abs().sum()) > 0 for p in parameters) >= 3
    assert before.keys() == model.module.state_dict().keys()


@pytest.mark.parametrize("kind", DECODERS)
def test_layers_can_be_dropped_before_one_is_added(kind, tmp_path):
    cut = DropLayers(2).apply(wrapped(tiny_models.make(kind)), (), 0)[0]
    model, given = MeanPool().apply(cut, (), 0)[0], tiny_models.batch(kind)
    expected = answer(model.module, given)
    with quiet():
        model.module.save_pretrained(tmp_path)
        again = type(model.module).from_pretrained(tmp_path).eval()
    assert torch.allclose(answer(again, given), expected, atol=1e-6, rtol=0)
    assert np.isfinite(expected.numpy()).all()
