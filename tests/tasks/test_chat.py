"""Conversations are learned where an assistant speaks, by the one loop and with all that it promises."""

import json
import math

import numpy as np
import pytest
import torch
from torch.nn.utils import parameters_to_vector

import chat_worlds as worlds
import tiny_models
from tune_worlds import largest_difference, without_key_biases
from warmstart.adapt.apply import apply
from warmstart.base.errors import WarmstartError
from warmstart.models.features import read
from warmstart.models.load import load
from warmstart.street.asking import refuse
from warmstart.street.folder import Options
from warmstart.street.training import Some
from warmstart.tasks.chat import IGNORED, Chat
from warmstart.tune.looks import look_at
from warmstart.tune.loop import Keeping

USER, ASSISTANT, END = worlds.USER, worlds.ASSISTANT, worlds.END
TALK = [
    {"role": "user", "content": "w1 w2"},
    {"role": "assistant", "content": "w31 w32"},
    {"role": "user", "content": "w3"},
    {"role": "assistant", "content": "w33"},
]
LORA = {"name": "lora", "rank": 4, "alpha": 8}


def close(one, other, at_most=1e-6):
    assert largest_difference(*map(without_key_biases, (one, other))) < at_most


def test_words_of_assistants_and_the_mark_that_ends_them_are_asked_for():
    inputs, targets, findings = Chat().encode(worlds.pretrained(), [TALK])
    assert inputs.ids.flat.tolist() == [
        USER,
        6,
        7,
        END,
        ASSISTANT,
        36,
        37,
        END,
        USER,
        8,
        END,
        ASSISTANT,
        38,
        END,
    ]
    no = IGNORED
    assert targets.tolist() == [[no, no, no, no, 36, 37, END, no, no, no, no, 38, END, no]]
    assert findings == []


def test_an_answer_may_open_the_conversation():
    inputs, targets, _ = Chat().encode(worlds.pretrained(), [TALK[1:3]])
    assert inputs.ids.flat.tolist() == [ASSISTANT, 36, 37, END, USER, 8, END]
    assert targets.tolist() == [[36, 37, END, *4 * [IGNORED]]]


def test_all_words_are_asked_for_where_that_is_wanted():
    inputs, targets, _ = Chat(answers_only=False).encode(worlds.pretrained(), [TALK])
    assert targets[0, :-1].tolist() == inputs.ids.flat[1:].tolist()
    assert targets[0, -1] == IGNORED


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("answers_only", [True, False])
@pytest.mark.parametrize("name", ["gpt2", "qwen3", "mistral"])
def test_loss_and_gradient_are_those_of_transformers_own_loss(name, answers_only, packed):
    model, talks = worlds.pretrained(name), worlds.conversations(6)
    inputs, targets, _ = Chat(answers_only).encode(model, talks)
    rows = range(6)
    state = inputs.packed(rows) if packed else inputs.batch(rows)
    ours, count = Chat().loss_of(model.anatomy, state, 0, targets)
    theirs = [worlds.own_loss(model, talk, answers_only) for talk in talks]
    assert count == sum(n for _, n in theirs)
    whole = sum(loss for loss, _ in theirs)
    assert float(ours.detach()) == pytest.approx(float(whole.detach()), rel=1e-5)
    weights = list(model.module.parameters())
    one, other = (parameters_to_vector(torch.autograd.grad(x, weights)) for x in (ours, whole))
    assert float((one - other).abs().max()) < 1e-4 * float(other.abs().max())


def test_a_look_says_how_each_row_fares():
    model, talks = worlds.pretrained(), worlds.conversations(6)
    inputs, targets, _ = Chat().encode(model, talks)
    split = worlds.Split(inputs, targets)
    found = look_at(Chat(), model.anatomy, split, list(inputs.in_order(4)), 0)
    order = [int(n) for part in inputs.in_order(4) for n in part]
    for place, row in enumerate(order):
        loss, count = worlds.own_loss(model, talks[row])
        assert float(found.losses_N[place]) == pytest.approx(float(loss.detach()), rel=1e-5)
        assert int(found.answers_N[place]) == count
    assert 0 <= found.accuracy <= 1


def test_what_answers_follow_is_learned():
    _, trained = worlds.run(worlds.plan(worlds.phase(lr=1e-2, epochs=9, schedule="constant")))
    losses = [look["validation_loss"] for look in trained.history]
    assert losses[-1] < 0.65 * losses[0]
    assert trained.history[-1]["validation_accuracy"] > trained.history[0]["validation_accuracy"] + 0.2


def test_adapters_learn_and_all_else_rests_also_the_output_layer():
    model = apply(worlds.pretrained("llama", tie_word_embeddings=False), (LORA,), (), 0).pretrained
    before = tiny_models.weights_of(model.module)
    _, trained = worlds.run(worlds.plan(worlds.phase(lr=1e-2, epochs=20)), model)
    after = model.module.state_dict()
    moved = {name for name in after if not torch.equal(after[name], before[name])}
    assert moved == {name for name in after if ".lora_" in name}
    assert trained.history[-1]["validation_loss"] < trained.history[0]["validation_loss"] - 0.1


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_parts_of_a_batch_teach_what_the_batch_does(name):
    """The loss is divided by all words of the batch, however many of them each part has."""
    one, other = (
        worlds.run(worlds.plan(worlds.phase(lr=1e-3), micro_batch=size), worlds.pretrained(name))
        for size in (0, 3)
    )
    close(one[0].module.state_dict(), other[0].module.state_dict(), 2e-5)
    assert one[1].history[-1]["train_loss"] == pytest.approx(other[1].history[-1]["train_loss"], rel=1e-5)


class Broken(Exception):
    pass


@pytest.mark.parametrize("edits", [(), (LORA,)])
def test_a_training_that_was_broken_off_ends_with_the_same_bits(edits, tmp_path):
    def model():
        return apply(worlds.pretrained(), edits, (), 0).pretrained

    def breaking(event):
        if event["event"] == "look" and event["epoch"] == 2:
            raise Broken

    chosen = worlds.plan(worlds.phase(), guards=({"name": "early_stop"},))
    keeping = Keeping(checkpoints=tmp_path, save_seconds=0.0)
    whole, first = worlds.run(chosen, model())
    with pytest.raises(Broken):
        worlds.run(chosen, model(), keeping, breaking)
    told = []
    again, second = worlds.run(chosen, model(), keeping, told.append)
    assert [e["steps"] for e in told if e["event"] == "resumed"]
    assert second.history == first.history
    states = [m.module.state_dict() for m in (whole, again)]
    assert all(torch.equal(states[0][n], states[1][n]) for n in states[0])


def test_conversations_that_changed_are_another_training(tmp_path):
    keeping = Keeping(checkpoints=tmp_path, save_seconds=0.0)
    worlds.run(worlds.plan(worlds.phase(epochs=1)), keeping=keeping)
    with pytest.raises(WarmstartError, match="training rows or their labels are others"):
        worlds.tune(
            (model := worlds.pretrained()),
            worlds.plan(worlds.phase(epochs=1)),
            Chat(),
            worlds.splits(model) | {"train": worlds.split(model, 22, 1, Chat(answers_only=False))},
            keeping,
        )


@pytest.mark.parametrize("where", ["learning", "evaluating"])
def test_where_memory_runs_out_fewer_rows_go_through_and_the_same_is_learned(where):
    def scarce(module, args, out):
        if out.shape[1] > 64 and module.training is (where == "learning"):
            raise torch.OutOfMemoryError("out of memory")

    chosen, told = worlds.plan(worlds.phase(lr=1e-3)), []
    roomy, first = worlds.run(chosen)
    model = worlds.pretrained()
    model.module.transformer.ln_f.register_forward_hook(scarce)
    _, second = worlds.run(chosen, model, tell=told.append)
    assert any(f"memory ran out while {where}" in str(e.get("what")) for e in told)
    close(roomy.module.state_dict(), model.module.state_dict(), 2e-5)
    assert first.history[-1]["validation_loss"] == pytest.approx(
        second.history[-1]["validation_loss"], abs=1e-5
    )


def test_the_best_weights_are_those_of_the_lowest_loss():
    guards = ({"name": "early_stop", "patience": 2},)
    ruin = worlds.plan(worlds.phase(lr=1e-3, epochs=3), worlds.phase(lr=1.0, epochs=6), guards=guards)
    model, trained = worlds.run(ruin)
    losses = [look["validation_loss"] for look in trained.history]
    assert min(losses) < min(losses[0], losses[-1])
    kept = look_at(Chat(), model.anatomy, worlds.splits(model)["validation"], [torch.arange(10).numpy()], 0)
    assert kept.loss == pytest.approx(min(losses), rel=1e-6)


def test_rows_whose_loss_is_no_number_are_named_and_no_others():
    model = worlds.pretrained()
    data = worlds.splits(model)
    ids = [data["validation"].inputs.batch([row])["input_ids"] for row in range(10)]
    rows = {word: [n for n, row in enumerate(ids) if bool((row == word).any())] for word in range(5, 13)}
    word = min((w for w in rows if rows[w]), key=lambda w: len(rows[w]))

    def poison(module, args, out):
        return out.masked_fill((args[0] == word)[..., None], math.nan)

    model.module.transformer.wte.register_forward_hook(poison)
    with pytest.raises(WarmstartError) as caught:
        worlds.tune(model, worlds.plan(worlds.phase()), Chat(), data)
    named = ", ".join(map(str, rows[word]))
    assert f"because of {len(rows[word])} of 10 rows: {named}" in caught.value.wrong
    assert 0 < len(rows[word]) < 10


def test_a_step_that_is_not_finite_is_skipped_and_moves_nothing():
    model, told = worlds.pretrained(), []
    seen = []

    def poison(module, args, out):
        if module.training:
            seen.append(1)
        return out * math.inf if module.training and len(seen) == 2 else out

    model.module.transformer.ln_f.register_forward_hook(poison)
    _, trained = worlds.run(worlds.plan(worlds.phase(lr=1e-3)), model, tell=told.append)
    assert trained.proofs["steps_skipped"] == 1
    assert any("the step was skipped" in str(e.get("what")) for e in told)
    assert math.isfinite(trained.history[-1]["validation_loss"])


@pytest.mark.parametrize("name", ["gpt2", "gemma"])
def test_frozen_layers_are_run_once_and_the_same_is_learned(name, tmp_path):
    chosen = worlds.plan(worlds.phase(lr=1e-3, learn=("layer.2", "norm", "output")))
    one, _ = worlds.run(chosen, worlds.pretrained(name))
    other, trained = worlds.run(chosen, worlds.pretrained(name), Keeping(tmp_path))
    assert trained.proofs["prefix_cached"] == [3]
    close(one.module.state_dict(), other.module.state_dict(), 2e-5)


def test_half_precision_learns_as_well():
    chosen = worlds.phase(lr=5e-3, epochs=10)
    exact, half = (worlds.run(worlds.plan(chosen, precision=p))[1].history[-1] for p in ("fp32", "bf16"))
    assert half["validation_loss"] == pytest.approx(exact["validation_loss"], rel=0.05)


def test_a_language_model_is_loaded_from_its_folder(tmp_path):
    model = load(str(worlds.save(tmp_path)), "chat")
    assert (model.modality, model.labels, model.anatomy.names[-1]) == ("chat", (), "output")
    inputs, targets, _ = Chat().encode(model, worlds.conversations(3))
    loss, count = Chat().loss_of(model.anatomy, read(model.anatomy, inputs, range(3)), 0, targets)
    assert math.isfinite(float(loss.detach())) and count == int((targets != IGNORED).sum())


def test_a_classifier_is_no_language_model(tmp_path):
    tiny_models.save(tmp_path, "llama")
    with pytest.raises(WarmstartError) as caught:
        load(str(tmp_path), "chat")
    assert caught.value.code == "missing-weights"


@pytest.mark.parametrize(
    "talk", ["hello", [], [{"role": "user"}], [{"content": "a", "role": 3}], ["hello"], {"role": "user"}]
)
def test_what_is_no_conversation_is_refused(talk):
    with pytest.raises(WarmstartError, match="conversation 2") as caught:
        Chat().encode(worlds.pretrained(), [TALK, talk])
    assert caught.value.code == "bad-conversation"


@pytest.mark.parametrize("talks", [[TALK[:1]], []], ids=len)
def test_conversations_without_an_answer_are_refused(talks):
    with pytest.raises(WarmstartError) as caught:
        Chat().encode(worlds.pretrained(), talks)
    assert caught.value.code == "no-answers"


TEMPLATES = {
    "no-chat-template": None,
    "chat-template": "{{ raise_exception('no') }}",
}


@pytest.mark.parametrize("code", TEMPLATES)
def test_a_template_that_does_not_serve_is_said(code):
    with pytest.raises(WarmstartError) as caught:
        Chat().encode(worlds.pretrained(template=TEMPLATES[code]), [TALK])
    assert caught.value.code == code


def test_a_template_that_rewrites_what_was_said_before_is_refused_unless_all_words_are_learned():
    forgetful = "{{ messages | length }} " + worlds.TEMPLATE
    with pytest.raises(WarmstartError, match="differently once others follow"):
        Chat().encode(worlds.pretrained(template=forgetful), [TALK])
    _, targets, _ = Chat(answers_only=False).encode(worlds.pretrained(template=forgetful), [TALK])
    assert bool((targets != IGNORED).any())


def test_long_conversations_are_cut_and_that_is_said():
    long = [{"role": "user", "content": "w1 " * 30}, {"role": "assistant", "content": "w2 " * 30}]
    inputs, targets, findings = Chat().encode(worlds.pretrained(), [TALK, long])
    assert inputs.lengths.tolist() == [14, 40]
    assert targets.shape == (2, 40) and targets[1, -1] == IGNORED
    assert [f.check for f in findings] == ["cut_chats"]


def test_a_model_whose_output_layer_is_not_known_is_refused():
    model = worlds.pretrained()
    classifier = tiny_models.make("gpt2")
    with pytest.raises(WarmstartError) as caught:
        worlds.run(worlds.plan(worlds.phase()), model.with_module(classifier))
    assert caught.value.code == "unfit-model"


def test_the_command_line_says_that_it_cannot_take_conversations_yet():
    with pytest.raises(WarmstartError, match="from Python") as caught:
        refuse(Options(data="chats.jsonl", task="chat"))
    assert caught.value.code == "task-from-python"


STORY = "{% for m in messages %}{{ m['content'] }}{% endfor %}"  # a template that adds nothing


def test_a_real_llama_is_as_sure_of_stories_as_its_own_forward_and_learns_from_them(assets):
    model = load(str(assets / "weights" / "stories260k_llama"), "chat")
    model.processor.chat_template = STORY
    lines = (assets / "data" / "tinystories_probe" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    talks = [[{"role": "assistant", "content": json.loads(line)["text"][:600]}] for line in lines[:20]]
    inputs, targets, _ = Chat().encode(model, talks)
    data = {
        name: worlds.Split(Some(inputs, rows), targets[rows])
        for name, rows in (("train", np.arange(13)), ("validation", np.arange(13, 20)))
    }
    found = look_at(Chat(), model.anatomy, data["validation"], [np.arange(7)], 0)
    for row in range(7):
        ids = data["validation"].inputs.batch([row])["input_ids"]
        asked = targets[13 + row, : ids.shape[1]] != IGNORED
        labels = torch.where(torch.cat([asked.new_zeros(1), asked[:-1]]), ids[0], IGNORED)[None]
        expected = float(model.module(input_ids=ids, labels=labels).loss.detach())
        assert float(found.losses_N[row] / found.answers_N[row]) == pytest.approx(expected, rel=1e-5)
    assert found.loss < 3  # it was trained on such stories
    adapted = apply(model, (LORA,), (), 0).pretrained
    trained = worlds.tune(adapted, worlds.plan(worlds.phase(lr=3e-3, epochs=2)), Chat(), data)
    assert trained.history[-1]["validation_loss"] < trained.history[0]["validation_loss"]
