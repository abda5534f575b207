"""Every proof fails when its fault is planted in the real objects, and a wrong number is never silent."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy

import street_world
from proof_worlds import SHORT, proof, scene_of, stage, tick
from warmstart import process
from warmstart.base.types import Bundle, Finding, Phase
from warmstart.cli.main import main
from warmstart.models.anatomies import _text
from warmstart.models.inputs import ImageInputs, Ragged, TextInputs
from warmstart.street import training
from warmstart.street.proofs._ledger import Ledger
from warmstart.street.proofs._tick import FEW
from warmstart.tasks.text_classification import TextClassification
from warmstart.tune.guards.early_stop import EarlyStop

HEAD_FIRST = (Phase(("head",), 1e-2, 2),)


@pytest.fixture(scope="module")
def texts(world, tmp_path_factory):
    return stage(world, tmp_path_factory.mktemp("texts"), "reviews.csv", "text-model")


@pytest.fixture(scope="module")
def pictures(world, tmp_path_factory):
    return stage(world, tmp_path_factory.mktemp("pictures"), "shapes", "image-model")


def nudge(parameter, by=0.05):
    with torch.no_grad():
        parameter.add_(by * torch.ones_like(parameter).cumsum(0))


# 1: frozen groups


def test_a_frozen_group_that_a_hook_moves_ends_the_run(texts, monkeypatch):
    """Seen by the loop, at the end of the phase."""
    real = training.apply

    def hooked(*given):
        adapted = real(*given)
        bert, head = adapted.pretrained.module.bert, adapted.pretrained.module.classifier
        head.register_forward_hook(lambda head, *_: move(bert) if head.training else None)
        return adapted

    def move(bert):
        bert.embeddings.word_embeddings.weight.data.mul_(1.001)

    monkeypatch.setattr(training, "apply", hooked)
    with pytest.raises(RuntimeError, match="frozen in phase 1 have moved"):
        texts.train("hooked", phases=HEAD_FIRST)


def test_a_frozen_group_that_is_moved_at_the_end_ends_the_run(texts, monkeypatch):
    """As a guard could after the last phase, where the loop looks no more."""
    real = EarlyStop.finish

    def finish(guard, job):
        real(guard, job)
        nudge(job.anatomy.model.bert.embeddings.word_embeddings.weight, 1e-6)

    monkeypatch.setattr(EarlyStop, "finish", finish)
    with pytest.raises(RuntimeError, match=r"Frozen groups did not move.*\(seen 1, at most 0\)"):
        texts.train("moved", phases=HEAD_FIRST, guards=({"name": "early_stop"},))
    assert not texts.trip.path("training", "moved", "run.json").exists(), "nothing is published"


# 2: the loss


class WrongCount(TextClassification):
    def loss_of(self, anatomy, state, start, targets):
        loss, count = super().loss_of(anatomy, state, start, targets)
        return loss, count + 1


class Smoothed(TextClassification):
    def loss_of(self, anatomy, state, start, targets):
        logits_BC = anatomy.logits(state, start)
        return cross_entropy(logits_BC, targets, reduction="sum", label_smoothing=0.1), len(targets)


class WrongLook(TextClassification):
    def look(self, anatomy, state, start, targets):
        found = super().look(anatomy, state, start, targets)
        return replace(found, answers_N=2 * found.answers_N)


@pytest.mark.parametrize("task", [WrongCount, Smoothed, WrongLook])
def test_a_loss_that_is_not_what_it_is_called_ends_the_run_before_a_step(texts, task):
    scene = replace(texts.scene(), task=task())
    with pytest.raises(RuntimeError, match="full: a proof fails. The loss is the cross-entropy"):
        Ledger("full").at("begun", scene)


def test_a_loss_that_is_no_number_is_left_to_the_checks_of_the_loop(texts):
    scene = texts.scene()
    scene.model.module.classifier.bias.data.fill_(float("nan"))
    assert tick("loss_by_hand", "begun", scene).holds is None


# 3: accumulation


class MeanOfTheBatch(TextClassification):
    """Right for one batch, and wrong for its parts: the mistake of many trainers."""

    def loss_of(self, anatomy, state, start, targets):
        return cross_entropy(anatomy.logits(state, start), targets), 1


def test_parts_that_do_not_add_up_are_seen_where_the_loss_itself_is_right(texts):
    scene = replace(texts.scene(), task=MeanOfTheBatch())
    assert tick("loss_by_hand", "begun", scene).holds
    found = tick("parts_add_up", "begun", scene)
    assert found.holds is False
    assert found.seen > 0.1, "the gradient is about twice as long"


class MeanOfMeans(TextClassification):
    """Parts of one size would hide it."""

    def loss_of(self, anatomy, state, start, targets):
        loss = cross_entropy(anatomy.logits(state, start), targets)
        return loss * FEW / (FEW // 2 + 1 if len(targets) < FEW else 1), FEW


def test_means_of_unequal_parts_do_not_add_up_either(texts):
    scene = replace(texts.scene(), task=MeanOfMeans())
    assert tick("loss_by_hand", "begun", scene).holds
    assert tick("parts_add_up", "begun", scene).holds is False


def test_rows_that_learn_from_each_other_do_not_add_up(texts):
    scene = texts.scene()
    scene.model.module.classifier.register_forward_pre_hook(lambda m, given: (centred(given[0]),))
    assert tick("parts_add_up", "begun", scene).holds is False


def centred(x_BD):
    return x_BD - x_BD.mean(0, keepdim=True)


def test_a_gradient_that_is_mostly_rounding_is_not_judged(texts):
    scene = texts.scene()
    train = texts.ready.splits["train"]
    sure = replace(train, targets=torch.zeros_like(train.targets))
    nudged = scene.model.module.classifier
    nudged.weight.data.zero_()
    nudged.bias.data.copy_(torch.tensor([8.0, -8.0]))
    ready = replace(scene.ready, splits={**scene.ready.splits, "train": sure})
    found = tick("parts_add_up", "begun", replace(scene, ready=ready))
    assert found.holds is None and "mostly rounding" in found.what


# 4: padding and neighbours


def test_an_attention_that_ignores_the_mask_is_seen(monkeypatch):
    monkeypatch.setattr(_text, "with_mask", lambda state, config: state)
    assert tick("padding_is_silent", "shipped", scene_of("bert")).holds is False


def test_rows_end_to_end_that_are_not_kept_apart_are_seen(monkeypatch):
    @contextmanager
    def all_in_one(config, layout):
        yield

    monkeypatch.setattr("warmstart.models.anatomy.laid_out", all_in_one)
    assert tick("padding_is_silent", "shipped", scene_of("bert")).holds is False


def test_a_picture_that_is_answered_by_its_neighbours_is_seen(pictures):
    scene = pictures.scene()
    assert tick("padding_is_silent", "shipped", scene).holds
    head = scene.model.anatomy.head()[1]
    head.register_forward_pre_hook(lambda m, given: (centred(given[0]),))
    assert tick("padding_is_silent", "shipped", scene).holds is False


# 5: the saved model


def test_a_saved_file_with_one_changed_weight_ends_the_run(texts, monkeypatch):
    real = training.save_model

    def save(pretrained, folder):
        real(pretrained, folder)
        tensors = load_file(folder / "model.safetensors")
        tensors["classifier.weight"][0, 0] += 0.1
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})

    monkeypatch.setattr(training, "save_model", save)
    with pytest.raises(RuntimeError, match="The saved model is the one that was measured"):
        texts.train("changed")
    assert not texts.trip.path("training", "changed", "run.json").exists(), "nothing is published"


# 6: the merge


def test_a_merge_that_is_off_is_shown_as_failed(world, tmp_path, monkeypatch):
    here = stage(world, tmp_path, "reviews.csv", "text-model", "lora")
    real = training.merge_adapters

    def off(pretrained):
        for module in pretrained.module.modules():
            if hasattr(module, "lora_B"):
                module.scaling["default"] *= 1.5
        return real(pretrained)

    assert proof(here.train("right", phases=SHORT), "merged_is_the_same").holds
    monkeypatch.setattr(training, "merge_adapters", off)
    run = here.train("off", phases=SHORT)
    assert proof(run, "merged_is_the_same").holds is False
    assert proof(run, "saved_is_the_same").holds, "it is the merged one that is measured and saved"


# 7: the start


def test_a_body_that_an_edit_has_changed_is_seen(texts):
    for edits in (({"name": "new_head"},), ({"name": "drop_layers", "keep": 1}, {"name": "new_head"})):
        scene = texts.scene(edits=edits)
        assert tick("starts_as_the_source", "begun", scene).holds
        nudge(scene.model.module.bert.embeddings.LayerNorm.weight)
        assert tick("starts_as_the_source", "begun", scene).holds is False


def test_a_layer_that_averages_leaves_those_below_it_as_they_were(texts):
    edits = ({"name": "mean_pool"}, {"name": "new_head"})
    scene = texts.scene(edits=edits)
    found = tick("starts_as_the_source", "begun", scene)
    assert found.holds and "after layer 2" in found.what
    nudge(scene.model.module.bert.encoder.layer[1].output.dense.weight)
    assert tick("starts_as_the_source", "begun", scene).holds is False


def test_a_kept_class_that_scores_otherwise_is_seen(world, tmp_path):
    street_world.text_model(tmp_path / "knows", classes=("bad", "good", "mixed"))
    here = stage(tmp_path, tmp_path / "runs", str(world / "reviews.csv"), "knows")
    scene = here.scene(edits=({"name": "new_head"},))
    found = tick("starts_as_the_source", "begun", scene)
    assert found.holds and "scores of 2 kept classes" in found.what
    nudge(scene.model.module.classifier.bias)
    assert tick("starts_as_the_source", "begun", scene).holds is False


def test_an_edit_that_nobody_knows_is_not_judged(texts):
    plan = texts.planned(edits=({"name": "new_head"}, {"name": "shuffle"}))
    found = tick("starts_as_the_source", "begun", replace(texts.scene(), plan=plan))
    assert found.holds is None and "shuffle" in found.what


# 8: test rows


def leaked(here, name, inputs):
    """The stage's rows, a split of which is fed from these inputs."""
    splits = {**here.ready.splits, name: replace(here.ready.splits[name], inputs=inputs)}
    return replace(here.scene(), ready=replace(here.ready, splits=splits))


def with_row(into, at, other, place):
    rows = [into.ids.flat[a:b].tolist() for a, b in zip(into.ids.offsets, into.ids.offsets[1:], strict=False)]
    rows[at] = other.ids.flat[other.ids.offsets[place] : other.ids.offsets[place + 1]].tolist()
    return TextInputs(Ragged.of(rows), into.padding)


@pytest.mark.parametrize("name", ["train", "validation"])
def test_a_test_text_among_those_that_teach_or_choose_is_counted(texts, name):
    splits = texts.ready.splits
    mixed = with_row(splits[name].inputs, 3, splits["test"].inputs, 5)
    found = tick("unseen_in_training", "begun", leaked(texts, name, mixed))
    assert (found.holds, found.seen) == (False, 1)


def test_a_test_picture_among_those_that_teach_is_counted(pictures):
    train, test = (pictures.ready.splits[name].inputs for name in ("train", "test"))
    pixels = np.array(train.pixels)
    pixels[[0, 4]] = test.pixels[[1, 2]]
    mixed = ImageInputs(pixels, train.scale.numpy(), train.shift.numpy())
    found = tick("unseen_in_training", "begun", leaked(pictures, "train", mixed))
    assert (found.holds, found.seen) == (False, 2)


def test_the_number_of_a_row_in_two_splits_is_seen_whatever_is_fed(texts):
    numbers = {**texts.ready.numbers, "test": texts.ready.numbers["train"][:20]}
    scene = replace(texts.scene(), ready=replace(texts.ready, numbers=numbers))
    assert tick("unseen_in_training", "begun", scene).seen == 20


def test_copies_that_the_findings_report_are_told_apart(texts):
    splits = texts.ready.splits
    mixed = with_row(splits["train"].inputs, 3, splits["test"].inputs, 5)
    finding = Finding("leaks", "warning", "2 rows", "kept, as you brought them; they count twice", 2)
    bundle = Bundle(**{**vars(texts.bundle), "findings": (finding,)})
    found = tick("unseen_in_training", "begun", replace(leaked(texts, "train", mixed), bundle=bundle))
    assert (found.holds, found.seen) == (True, 0)
    assert "1 more are copies that the findings report" in found.what


def test_texts_that_only_read_alike_are_told_and_do_not_count(world, tmp_path):
    """Their words are unknown to the model; the user wrote different ones."""
    rows = [(f"{text} foreign{i}", label) for i, (text, label) in enumerate(street_world.reviews(60))]
    rows += [(" ".join(f"odd{i}{j}" for j in range(9)), ("bad", "good")[i % 2]) for i in range(30)]
    street_world.write_csv(tmp_path / "odd.csv", rows)
    here = stage(world, tmp_path / "runs", str(tmp_path / "odd.csv"), "text-model")
    found = tick("unseen_in_training", "begun", here.scene())
    assert found.holds and "others only read alike" in found.what


# 9: the chosen weights


def test_a_wrong_checkpoint_that_is_put_back_is_seen(texts, monkeypatch):
    real_begin, real_finish = EarlyStop.begin, EarlyStop.finish
    first = {}

    def begin(guard, job):
        real_begin(guard, job)
        first.update(job.weights())

    def finish(guard, job):
        real_finish(guard, job)
        job.set_weights(first)

    guards = ({"name": "early_stop"},)
    assert proof(texts.train("kept", guards=guards), "best_is_shipped").holds
    monkeypatch.setattr(EarlyStop, "begin", begin)
    monkeypatch.setattr(EarlyStop, "finish", finish)
    run = texts.train("wrong", guards=guards)
    assert proof(run, "best_is_shipped").holds is False
    assert proof(run, "saved_is_the_same").holds


def test_weights_that_are_mixed_at_the_end_are_no_look(texts):
    guards = ({"name": "early_stop"}, {"name": "wise_ft", "mix": 0.5})
    found = proof(texts.train("mixed", guards=guards), "best_is_shipped")
    assert found.holds is None and "wise_ft" in found.what


# what becomes of a proof that fails


def test_a_failed_proof_is_a_warning_and_is_shown_wherever_the_result_is(world, tmp_path, monkeypatch):
    real = EarlyStop.finish

    def finish(guard, job):
        real(guard, job)
        nudge(job.anatomy.model.classifier.bias, 0.5)

    monkeypatch.setattr(EarlyStop, "finish", finish)
    models = (str(world / "text-model"),)
    asked = {"strategy": "full", "rows": 40, "pilots": False, "race": 0, "baseline": False}
    result = process.run(world / "reviews.csv", runs=tmp_path, models=models, **asked)
    (failed,) = (found for found in result.ticks if found.holds is False)
    assert failed.name == "best_is_shipped"
    warned = [f for f in result.findings if f.check == "proofs"]
    assert warned and all(f.level == "warning" and "a proof fails" in f.what for f in warned)
    for page in ("report.html", "report.md"):
        assert "The weights that were chosen" in (tmp_path / "reviews-1" / page).read_text()


def test_the_verb_tune_tells_how_many_hold_and_what_fails(world, tmp_path, monkeypatch, capsys):
    here = stage(world, tmp_path, "reviews.csv", "text-model")
    real = EarlyStop.finish

    def finish(guard, job):
        real(guard, job)
        nudge(job.anatomy.model.classifier.bias, 0.5)

    monkeypatch.setattr(EarlyStop, "finish", finish)
    assert main(["tune", str(here.trip.folder)]) == 0
    told = capsys.readouterr().out
    assert "proofs: 7 of 8 hold, 2 do not apply" in told
    assert "failed: The weights that were chosen are those that are shipped" in told


def test_memory_that_does_not_suffice_to_look_does_not_end_the_training(texts, monkeypatch):
    def full(*given):
        raise MemoryError

    monkeypatch.setattr("warmstart.street.proofs.parts_add_up.add_gradients", full)
    found = proof(texts.train("narrow"), "parts_add_up")
    assert found.holds is None and "memory did not suffice" in found.what
