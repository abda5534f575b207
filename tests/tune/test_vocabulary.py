"""Leaving out words that never occur changes no weight, wherever the training is looked at."""

import copy

import numpy as np
import pytest
import torch

import tune_worlds as worlds
from warmstart.models import vocabulary
from warmstart.models.inputs import Ragged, TextInputs
from warmstart.tune.guards import GUARDS
from warmstart.tune.job import Split
from warmstart.tune.loop import Keeping


@pytest.fixture
def large(monkeypatch):
    """Tables count as large from the first row on."""
    monkeypatch.setattr(vocabulary, "LARGE", 1)


def trained(**options):
    phases = (worlds.phase(("head",)), worlds.phase(lr=1e-2), worlds.phase(("top:1",)))
    guards = ({"name": "early_stop"}, *options.pop("guards", ()))
    model, told = worlds.run("bert", worlds.plan(*phases, guards=guards), **options)
    return worlds.state(model), told


def few_words(splits):
    """The same rows with a third of the words."""
    return {
        name: Split(TextInputs(Ragged(s.inputs.ids.flat // 3, s.inputs.ids.offsets), 0), s.targets)
        for name, s in splits.items()
    }


def test_weights_and_history_are_those_of_the_whole_table(large, monkeypatch, tmp_path):
    data = few_words(worlds.splits("bert"))
    short, told = trained(data=data)
    monkeypatch.setattr(vocabulary, "LARGE", 10**9)
    whole, told_whole = trained(data=data)
    assert worlds.largest_difference(short, whole) < 1e-6
    for one, other in zip(told.history, told_whole.history, strict=True):
        assert one["validation_loss"] == pytest.approx(other["validation_loss"], abs=1e-6)
    assert told.trained_parameters == told_whole.trained_parameters


def test_words_that_do_not_occur_stay_to_the_bit_and_others_move(large):
    data = few_words(worlds.splits("bert"))
    before = worlds.state(worlds.pretrained("bert"))
    after, _ = trained(data=data)
    name = "bert.embeddings.word_embeddings.weight"
    used = np.unique(np.concatenate([s.inputs.ids.flat for s in data.values()]))
    moved = (after[name] != before[name]).any(1).nonzero().flatten().tolist()
    assert moved and set(moved) <= set(used.tolist())


def test_a_training_that_is_taken_up_again_knows_its_words(large, tmp_path):
    data = few_words(worlds.splits("bert"))
    plan = worlds.plan(worlds.phase(lr=1e-2, epochs=3), guards=({"name": "early_stop"},))

    class Enough(Exception):
        pass

    def stop_late(event):
        if event["event"] == "look" and event["epoch"] == 2:
            raise Enough

    keeping = Keeping(checkpoints=tmp_path / "kept", save_seconds=0.0)
    with pytest.raises(Enough):
        worlds.run("bert", plan, keeping=keeping, data=data, tell=stop_late)
    resumed, told = worlds.run("bert", plan, keeping=keeping, data=data)
    whole, _ = worlds.run("bert", plan, data=data)
    assert worlds.equal(worlds.state(resumed), worlds.state(whole))


def test_a_guard_with_weights_of_its_own_keeps_the_table_whole(large):
    assert GUARDS.get("l2_sp").penalty is not None
    data = few_words(worlds.splits("bert"))
    weights, _ = trained(data=data, guards=({"name": "l2_sp"},))
    assert len(weights["bert.embeddings.word_embeddings.weight"]) == 80


def test_the_table_comes_back_whole_after_an_error(large):
    model = worlds.pretrained("bert")
    before = copy.deepcopy(worlds.state(model))
    data = few_words(worlds.splits("bert"))
    model.anatomy.set_learning(("*",), "learn")
    found = vocabulary.find(model.anatomy, [s.inputs for s in data.values()])
    with pytest.raises(KeyError), vocabulary.short(found):
        assert len(found.table.weight) == len(found.used) < 80
        raise KeyError
    assert worlds.equal(worlds.state(model), before)
    assert found.table.num_embeddings == 80 and found.table.padding_idx == 0


def test_tables_that_are_tied_to_a_head_stay_whole(large):
    model = worlds.pretrained("bert")
    model.anatomy.set_learning(("*",), "learn")
    model.module.tied = torch.nn.Linear(32, 80, bias=False)
    model.module.tied.weight = model.module.get_input_embeddings().weight
    assert vocabulary.find(model.anatomy, [few_words(worlds.splits("bert"))["train"].inputs]) is None
