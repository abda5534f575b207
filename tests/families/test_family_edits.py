"""Every edit keeps the contract of its family: a new file in adapt/edits is tested by existing."""

from dataclasses import MISSING, fields, is_dataclass, replace

import pytest
import torch
import transformers as tf

from warmstart.adapt.apply import apply
from warmstart.adapt.edits import EDITS
from warmstart.adapt.merge import merge_adapters
from warmstart.base.errors import WarmstartError
from warmstart.models.anatomy import anatomy_of
from warmstart.models.load import Pretrained, seeded

LABELS = ("bird", "cat", "dog", "eel")
EXAMPLES = {"int": 1, "float": 0.5, "bool": True, "str": "x"}  # for settings without a default


def text_model():
    config = tf.BertConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        num_labels=3,
    )
    with seeded(0):
        module = tf.BertForSequenceClassification(config).eval()
    return Pretrained("tiny/bert", module, None, anatomy_of(module), "text", ("ant", "bat", "cat"))


def image_model():
    config = tf.MobileNetV2Config(depth_multiplier=0.25, image_size=32, num_labels=3)
    with seeded(0):
        module = tf.MobileNetV2ForImageClassification(config).eval()
    return Pretrained("tiny/mobilenet", module, None, anatomy_of(module), "image", ("ant", "bat", "cat"))


def inputs(model):
    source = torch.Generator().manual_seed(0)
    if model.modality == "image":
        return {"pixel_values": torch.randn(3, 3, 32, 32, generator=source)}
    ids = torch.randint(5, 40, (3, 6), generator=source)
    mask = (torch.arange(6) < torch.tensor([6, 3, 4])[:, None]).long()
    return {"input_ids": ids * mask, "attention_mask": mask}


@torch.no_grad()
def logits(model):
    return model.module.eval()(**inputs(model)).logits


def settings(name):
    """A table for the edit with an example for everything that must be given."""
    needed = [f for f in fields(EDITS.get(name)) if f.default is MISSING and f.default_factory is MISSING]
    return {"name": name, **{f.name: EXAMPLES[getattr(f.type, "__name__", str(f.type))] for f in needed}}


def edited(name, seed=0):
    return EDITS.build(settings(name)).apply(text_model(), LABELS, seed)


every = pytest.mark.parametrize("name", EDITS.names())


@every
def test_an_edit_is_a_frozen_value_that_says_what_it_is(name):
    part = EDITS.get(name)
    assert is_dataclass(part)
    assert part.__dataclass_params__.frozen
    assert len(EDITS.first_line(name)) > 20
    assert part.__doc__


@every
def test_an_edit_gives_a_model_whose_anatomy_is_up_to_date(name):
    model, _ = edited(name)
    assert isinstance(model, Pretrained)
    assert model.anatomy.model is model.module
    with torch.no_grad():
        assert torch.equal(model.anatomy.logits(inputs(model)), logits(model))
    groups = {id(p) for group in model.anatomy.names for p in model.anatomy.parameters(group)}
    assert groups == {id(p) for p in model.module.parameters()}


@every
def test_an_edit_says_in_one_sentence_what_it_did_with_numbers(name):
    _, note = edited(name)
    assert note.startswith(f"{name}: ")
    assert "\n" not in note
    assert any(c.isdigit() for c in note)


@every
def test_an_edit_draws_from_its_seed_alone(name):
    torch.manual_seed(3)
    state = torch.get_rng_state()
    first, second = (edited(name, seed=7)[0].module.state_dict() for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[n], second[n]) for n in first)


@every
def test_an_edit_keeps_the_labels_only_if_it_keeps_the_answers(name):
    model, _ = edited(name)
    if model.labels == text_model().labels:
        assert torch.equal(logits(model), logits(text_model()))
    else:
        assert model.labels in ((), LABELS)


@every
def test_an_edited_model_loads_again_with_transformers_alone(name, tmp_path):
    edits = (
        ({"name": "new_head"}, settings(name)) if name == "lora" else (settings(name), {"name": "new_head"})
    )
    model = merge_adapters(apply(text_model(), edits, LABELS, 0).pretrained)
    model.module.save_pretrained(tmp_path)
    again = tf.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert tuple(again.config.id2label.values()) == LABELS
    assert torch.allclose(logits(replace(model, module=again)), logits(model), atol=1e-5)


@every
def test_an_edit_works_on_a_picture_model_or_is_refused_in_words(name):
    model = image_model()
    before = logits(model)
    try:
        changed, _ = EDITS.build(settings(name)).apply(model, LABELS, 0)
    except WarmstartError as error:
        assert error.do
        assert torch.equal(logits(model), before)
    else:
        with torch.no_grad():
            assert torch.equal(changed.anatomy.logits(inputs(changed)), logits(changed))


@every
def test_an_unknown_setting_of_an_edit_is_refused(name):
    with pytest.raises(WarmstartError, match="no setting 'colour'"):
        EDITS.build({**settings(name), "colour": "red"})
