"""Every strategy keeps the contract of its family: a new file in decide/strategies is tested by existing."""

from dataclasses import fields, is_dataclass, replace
from itertools import product

import pytest
import torch
import transformers as tf

from warmstart.adapt.apply import apply
from warmstart.adapt.edits import EDITS
from warmstart.base.errors import WarmstartError
from warmstart.base.tables import to_table
from warmstart.base.types import Facts, Phase, Reason
from warmstart.decide.choose import plan_for
from warmstart.decide.plan_check import plan_of
from warmstart.decide.strategies import STRATEGIES
from warmstart.models.anatomy import anatomy_of
from warmstart.models.load import Pretrained, seeded

LABELS = ("bird", "cat", "dog", "eel")
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "num_labels": 3,
}
MODELS = {
    "text": (tf.BertForSequenceClassification, tf.BertConfig(vocab_size=40, **SIZES)),
    "image": (tf.ViTForImageClassification, tf.ViTConfig(image_size=16, patch_size=8, **SIZES)),
}


def model_of(modality):
    kind, config = MODELS[modality]
    with seeded(0):
        module = kind(config).eval()
    return Pretrained("tiny", module, None, anatomy_of(module), modality, ())


def facts_of(model: Pretrained, **changes) -> Facts:
    """Facts as they follow from the model, on rows that are neither few nor many."""
    anatomy = model.anatomy
    scores = (0.4, 0.5, 0.7, 0.6, 0.6, 0.5)  # of text: best after the second layer, the pooled output last
    facts = Facts(
        task=f"{model.modality}_classification",
        modality=model.modality,
        rows=200,
        classes=4,
        fewest_per_class=40,
        median_per_class=50.0,
        floor=0.25,
        probe=0.7,
        groups=anatomy.names,
        depths=dict(zip(anatomy.names[:-1], scores, strict=True)),
        parameters=model.parameters,
        pretrained=True,
        head_is_linear=anatomy.head_is_linear,
        can_pool=anatomy.part.can_pool(anatomy.model),
        can_cut=anatomy.part.can_cut,
        has_batch_norm=anatomy.has_batch_norm,
    )
    return replace(facts, **changes)


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return model_of(request.param)


every = pytest.mark.parametrize("name", STRATEGIES.names())


@every
def test_a_strategy_is_a_frozen_value_with_defaults_that_says_what_it_is(name):
    part = STRATEGIES.get(name)
    assert is_dataclass(part)
    assert part.__dataclass_params__.frozen
    assert part() == STRATEGIES.build({"name": name})
    assert isinstance(part.pretrained, bool)
    assert isinstance(part.cost, int)
    assert not {"pretrained", "cost"} & {f.name for f in fields(part)}
    assert len(STRATEGIES.first_line(name)) > 20


@every
def test_a_strategy_answers_every_question_within_0_and_1_and_says_why(name, model):
    for rows, per_class, probe, pretrained in product(
        (3, 300, 10**6), (1, 50, 5000), (0, 0.25, 1), (True, False)
    ):
        facts = facts_of(model, rows=rows, median_per_class=per_class, probe=probe, pretrained=pretrained)
        suits, reason = STRATEGIES.get(name)().suits(facts)
        assert 0 <= suits <= 1
        assert isinstance(reason, Reason)
        assert reason.rule and reason.saw and reason.so
        assert pretrained or suits == 0 or not STRATEGIES.get(name).pretrained


@every
def test_edits_are_plain_tables_that_the_family_of_edits_accepts(name, model):
    edits = STRATEGIES.get(name)().edits(facts_of(model))
    assert edits == tuple(map(dict, edits))
    for table in edits:
        EDITS.build(table)


@every
def test_phases_stand_within_the_limits_of_a_plan(name, model):
    for rows, linear in product((1, 200, 10**6), (True, False)):
        plan = plan_for(name, facts_of(model, rows=rows, head_is_linear=linear), "m")
        assert all(isinstance(phase, Phase) for phase in plan.phases)
        assert plan_of(to_table(plan), name) == plan


@every
def test_a_plan_fits_the_model_that_its_facts_came_from(name, model):
    plan = plan_for(name, facts_of(model), "m")
    changed = apply(model, plan.edits, LABELS, 0).pretrained
    for phase in plan.phases:
        chosen = changed.anatomy.set_learning(phase.learn, plan.norm_statistics)
        assert chosen[-1] == changed.anatomy.names[-1]
        assert any(p.requires_grad for p in changed.module.parameters())
        if phase.solver == "logistic":
            assert chosen == changed.anatomy.names[-1:]
            assert changed.anatomy.head_is_linear
    assert changed.labels == LABELS
    assert all(torch.isfinite(p).all() for p in changed.module.parameters())


@every
def test_an_unknown_setting_of_a_strategy_is_refused(name):
    with pytest.raises(WarmstartError, match="no setting 'colour'"):
        STRATEGIES.build({"name": name, "colour": "red"})
