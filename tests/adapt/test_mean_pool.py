"""A layer that averages: the pooled output is the mean over real tokens, in the plain architecture."""

import pytest
import torch
from adapt_models import POOLING, inputs, logits, logits_by_anatomy, reloaded, tiny
from torch.nn.functional import gelu, layer_norm

from warmstart.adapt.edits.mean_pool import MeanPool
from warmstart.base.errors import WarmstartError
from warmstart.models.anatomies import _text

ACTIVATIONS = {"distilbert": torch.relu, "electra": gelu, "deberta-v2": gelu}


@torch.no_grad()
def last_states(model):
    """Hidden states after the last layer and the mask, from transformers itself."""
    given = inputs(model)
    return model.module.eval()(**given, output_hidden_states=True).hidden_states[-1], given["attention_mask"]


@torch.no_grad()
def pooled(model):
    """What the head reads."""
    model.module.eval()
    return model.anatomy.run(inputs(model), 0, model.anatomy.index("head"))["pooled"]


def mean_over_tokens(model):
    """Row by row, with nothing but the real tokens."""
    hidden_BLD, mask_BL = last_states(model)
    return torch.stack(
        [row[: int(mask.sum())].mean(0) for row, mask in zip(hidden_BLD, mask_BL, strict=True)]
    )


def correlations(a_ND, b_ND):
    return torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(a_ND, b_ND, strict=True)])


@pytest.mark.parametrize("kind", POOLING)
def test_the_pooled_output_is_the_normed_mean_up_to_its_activation(kind):
    """The layer's residual leaves a trace of the first token, which SHARP keeps small; then two norms."""
    model = tiny(kind)
    mean_BD = mean_over_tokens(model)
    first_BD = last_states(model)[0][:, 0]
    changed, _ = MeanPool().apply(model, (), 0)
    activation = {torch.tanh: "tanh", torch.relu: "relu", gelu: "gelu"}[ACTIVATIONS.get(kind, torch.tanh)]
    scale, shift = _text.PASS_THROUGH[activation]
    normed_BD = layer_norm(layer_norm(_text.SHARP * mean_BD + first_BD, mean_BD.shape[1:]), mean_BD.shape[1:])
    wanted_BD = ACTIVATIONS.get(kind, torch.tanh)(scale * normed_BD + shift)
    assert torch.allclose(pooled(changed), wanted_BD, atol=1e-4)


@pytest.mark.parametrize("kind", POOLING)
def test_nearly_nothing_but_the_mean_is_left(kind):
    model = tiny(kind)
    mean_BD = mean_over_tokens(model)
    wanted_BD = layer_norm(mean_BD, mean_BD.shape[1:])
    first_BD = last_states(model)[0][:, 0]
    before = correlations(first_BD, wanted_BD).min()
    changed, _ = MeanPool().apply(model, (), 0)
    after = correlations(pooled(changed), wanted_BD).min()
    assert after > 0.98
    assert after > before


@pytest.mark.parametrize("kind", POOLING)
def test_padding_does_not_matter(kind):
    changed, _ = MeanPool().apply(tiny(kind), (), 0)
    assert torch.allclose(logits(changed, pad=12), logits(changed), atol=1e-5)


@pytest.mark.parametrize("kind", POOLING)
def test_the_added_layer_is_one_of_the_architecture(kind, tmp_path):
    model = tiny(kind)
    before = model.parameters
    changed, note = MeanPool().apply(model, (), 0)
    assert changed.anatomy.names == (
        "embeddings",
        "layer.0",
        "layer.1",
        "layer.2",
        "layer.3",
        "pooler",
        "head",
    )
    assert torch.equal(logits(changed), logits_by_anatomy(changed))
    assert torch.allclose(logits(reloaded(changed, tmp_path)), logits(changed), atol=1e-6, rtol=0)
    added = changed.parameters - before
    assert note == f"mean_pool: a layer that averages over tokens was added, {added:,} parameters"


def test_the_head_no_longer_counts_as_trained():
    assert MeanPool().apply(tiny("bert"), (), 0)[0].labels == ()


@pytest.mark.parametrize("kind", ["mpnet", "vit", "resnet", "poolformer"])
def test_an_architecture_without_a_place_for_it_says_so_and_stays_as_it_is(kind):
    model = tiny(kind)
    before = logits(model)
    with pytest.raises(WarmstartError, match="mean_pool out"):
        MeanPool().apply(model, (), 0)
    assert torch.equal(logits(model), before)
