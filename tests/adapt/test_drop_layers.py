"""Dropping layers: what is left gives what the whole model gave half-way up."""

import pytest
import torch
from adapt_models import inputs, logits, logits_by_anatomy, reloaded, tiny

from warmstart.adapt.edits.drop_layers import DropLayers, count_layers
from warmstart.base.errors import WarmstartError

CUT = ("bert", "roberta", "electra", "distilbert", "deberta-v2", "vit", "resnet")


@torch.no_grad()
def states(model):
    """Hidden states as transformers itself reports them, from embeddings to the last layer."""
    return model.module.eval()(**inputs(model), output_hidden_states=True).hidden_states


@pytest.mark.parametrize("kind", CUT[:-1])
@pytest.mark.parametrize("keep", [1, 2])
def test_the_kept_layers_give_what_they_gave(kind, keep):
    before = states(tiny(kind))
    changed, note = DropLayers(keep).apply(tiny(kind), (), 0)
    after = states(changed)
    assert len(after) == keep + 1
    assert torch.allclose(after[-1], before[keep], atol=1e-6)
    assert note.startswith(f"drop_layers: the top {3 - keep} of 3 layers are gone, ")
    assert f"became {changed.parameters:,}" in note


def test_a_picture_model_loses_layers_and_then_whole_stages():
    before = states(tiny("resnet"))
    changed, _ = DropLayers(2).apply(tiny("resnet"), (), 0)
    assert torch.allclose(states(changed)[-1], before[1], atol=1e-6)
    assert DropLayers(1).apply(tiny("resnet"), (), 0)[0].anatomy.names == ("stem", "stage.0.0", "head")


@pytest.mark.parametrize("kind", CUT)
@pytest.mark.parametrize("keep", [1, 2])
def test_the_shorter_model_is_known(kind, keep):
    changed, _ = DropLayers(keep).apply(tiny(kind), (), 0)
    assert count_layers(changed.anatomy) == keep
    assert torch.equal(logits(changed), logits_by_anatomy(changed))


@pytest.mark.parametrize("kind", CUT)
@pytest.mark.parametrize("keep", [1, 2])
def test_the_shorter_model_loads_again(kind, keep, tmp_path):
    changed, _ = DropLayers(keep).apply(tiny(kind), (), 0)
    assert torch.allclose(logits(reloaded(changed, tmp_path)), logits(changed), atol=1e-6, rtol=0)


def test_the_head_no_longer_counts_as_trained():
    assert DropLayers(2).apply(tiny("bert"), (), 0)[0].labels == ()


def test_keeping_all_layers_changes_nothing():
    model = tiny("bert")
    changed, note = DropLayers(3).apply(model, (), 0)
    assert changed is model
    assert note == "drop_layers: all 3 layers stay"


@pytest.mark.parametrize("keep", [0, -1, 4])
def test_a_number_out_of_range_is_refused(keep):
    with pytest.raises(WarmstartError, match=f"keep = {keep}, and tiny/bert has 3 layers") as caught:
        DropLayers(keep).apply(tiny("bert"), (), 0)
    assert caught.value.do == "write a number from 1 to 3"


@pytest.mark.parametrize("kind", ["mobilenet_v2", "mpnet", "poolformer"])
def test_an_architecture_that_cannot_be_cut_says_so_and_stays_whole(kind):
    model = tiny(kind)
    before = logits(model)
    with pytest.raises(WarmstartError, match="cannot lose layers"):
        DropLayers(1).apply(model, (), 0)
    assert torch.equal(logits(model), before)
