"""Edits of a plan, in order, on a copy."""

import pytest
import torch
from adapt_models import CLASSES, logits, reloaded, tiny

from warmstart.adapt.apply import apply
from warmstart.base.errors import WarmstartError

ALL = ({"name": "drop_layers", "keep": 2}, {"name": "mean_pool"}, {"name": "new_head"})
NEW = ("apple", "pear")


def test_edits_are_made_in_order_and_each_leaves_a_note(tmp_path):
    changed = apply(tiny("bert"), ALL, NEW, 0)
    assert changed.pretrained.anatomy.names == (
        "embeddings",
        "layer.0",
        "layer.1",
        "layer.2",
        "pooler",
        "head",
    )
    assert [note.split(":")[0] for note in changed.notes] == ["drop_layers", "mean_pool", "new_head"]
    assert changed.pretrained.labels == NEW
    again = reloaded(changed.pretrained, tmp_path)
    assert again.labels == NEW
    assert torch.allclose(logits(again), logits(changed.pretrained), atol=1e-6, rtol=0)


def test_the_given_model_stays_as_it_was():
    model = tiny("bert")
    before, names = logits(model), model.anatomy.names
    changed = apply(model, (*ALL, {"name": "lora"}), NEW, 0).pretrained
    with torch.no_grad():
        for parameter in changed.module.parameters():
            parameter.fill_(1.0)
    assert torch.equal(logits(model), before)
    assert (model.anatomy.names, model.labels, model.module.config.num_labels) == (names, CLASSES, 3)


def test_the_seed_decides_what_is_fresh():
    first, second, other = (logits(apply(tiny("bert"), ALL, NEW, seed).pretrained) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_a_second_round_of_edits_keeps_frozen_weights_frozen():
    model = apply(tiny("bert"), ({"name": "new_head"}, {"name": "lora"}), NEW, 0).pretrained
    again = apply(model, (), NEW, 0).pretrained
    learning = [[n for n, p in m.module.named_parameters() if p.requires_grad] for m in (model, again)]
    again.anatomy.set_learning(("*",), "frozen")
    learning.append([n for n, p in again.module.named_parameters() if p.requires_grad])
    assert learning[0] == learning[1] == learning[2]


def test_rows_of_a_head_are_not_kept_once_its_features_are_gone():
    changed = apply(tiny("bert"), ALL, CLASSES, 0)
    assert changed.notes[-1] == "new_head: 3 classes replaced by 3, all of them fresh"


@pytest.mark.parametrize(
    ("edits", "labels"),
    [
        ((), NEW),
        ((), ("cat", "bird", "dog")),
        (({"name": "mean_pool"},), CLASSES),
        (({"name": "new_head"}, {"name": "mean_pool"}), NEW),
        (({"name": "new_head"}, {"name": "drop_layers", "keep": 1}), CLASSES),
    ],
)
def test_a_head_for_other_classes_or_features_is_refused(edits, labels):
    with pytest.raises(WarmstartError, match="without a head for the") as caught:
        apply(tiny("bert"), edits, labels, 0)
    assert "new_head" in caught.value.do


def test_a_head_that_came_with_these_classes_needs_no_edit():
    assert torch.equal(logits(apply(tiny("bert"), (), CLASSES, 0).pretrained), logits(tiny("bert")))


@pytest.mark.parametrize(
    ("edit", "do"),
    [
        ({"name": "new_hed"}, "did you mean 'new_head'?"),
        ({"name": "drop_layers", "kep": 2}, "did you mean 'keep'?"),
        ({"name": "drop_layers"}, "add `keep: ...`"),
        ({"name": "drop_layers", "keep": "two"}, "integer"),
        ({"keep": 2}, "one of: "),
    ],
)
def test_unknown_edits_and_settings_are_refused(edit, do):
    with pytest.raises(WarmstartError) as caught:
        apply(tiny("bert"), (*ALL, edit), NEW, 0)
    assert do in caught.value.do
