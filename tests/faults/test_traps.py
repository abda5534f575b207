"""Traps in which a training goes wrong and says nothing: each is closed by a test, here or where it belongs.

Of long names of tests only the beginning stands here.

| trap | closed by |
|---|---|
| padding in the loss | test_traps.py: test_padding_changes_neither_loss_nor_gradient |
| padding in features | families/test_family_anatomies.py: test_padding_does_not_change_what_is_pooled |
| accumulation, every head class and split | test_traps.py: test_parts_of_a_batch_have_the_gradient_of |
| accumulation, weights and last partial window | tune/test_accumulation.py: test_parts_of_a_batch_end |
| batch norm in a frozen trunk | tune/test_frozen_prefix.py: test_statistics_of_norms_move_only_where |
| momentum of converted models | models/test_model_repair.py: test_what_the_model_answers_survives_one |
| dropout in a frozen trunk | tune/test_frozen_prefix.py: test_dropout_is_awake_above_the_prefix_also_in |
| cached features are live features | tune/test_frozen_prefix.py: test_the_cache_changes_nothing_but |
| decay on norms, biases, tables | tune/test_optimiser.py: test_only_what_multiplies_inputs_decays |
| rates on resuming | faults/test_kills.py: test_a_training |
| another plan, data or model on resuming | tune/test_resume.py: test_another_training_is_refused_with |
| order of rows and of classes | test_traps.py: test_other_orders_of_rows_and_classes_give_the_same |
| names of classes after saving | serve/test_same_predictions.py: test_texts_are_answered_alike |
| an old head of as many classes | adapt/test_new_head.py: test_as_many_classes_of_other_names_never |
| texts cut in silence | tasks/test_task_texts.py: test_texts_that_are_too_long_are_cut_with_their_end |
| evaluation in train mode | test_traps.py: test_two_evaluations_are_equal_to_the_bit |
| preparation differs between training and serving | serve/test_same_predictions.py: test_the_shipped |
| rows on two sides | process/test_process.py: test_no_content_is_in_two_splits |
| test rows that choose | process/test_process.py: test_test_rows_never_teach_or_choose |
| a dropped last batch, a row seen twice | families/test_family_modes.py: test_every_row_comes_exactly |
| rows seen twice in a training | test_traps.py: test_the_rows_that_teach_are_each_row_once_an_epoch |
| early stopping keeps the last weights | tune/test_guards.py: test_early_stop_ends_with_the_best |
| parameters that the optimiser lacks or should not have | tune/test_optimiser.py: test_the_optimiser |
| frozen tensors that move | tune/test_optimiser.py: test_each_tensor_that_learns_moves_and_each_frozen |
| adapters that change the start | adapt/test_lora.py: test_before_the_first_step_the_answers_are_those |
| adapters lost in merging | adapt/test_lora.py: test_folded_in_the_model_is_plain_and_answers_the_same |
| looking that changes what is learned | test_traps.py: test_looking_more_often_leaves_every_weight_as |
| saving that changes what is learned | tune/test_resume.py: test_how_often_one_saves_and_looks_back |
| shared randomness | tune/test_accumulation.py: test_the_shared_randomness_is_neither_read_nor_moved |
| metrics averaged over batches | test_traps.py: test_scores_are_those_of_scikit_learn_on_all_rows |
| metrics of one's own making | evaluate/test_metric_oracles.py: test_accuracy_macro_f1_and_log_loss_are |
| losses that are no number, left out | faults/test_not_finite.py: test_validation_rows_are_counted_and |
| double BOS, EOS, templates, spans | only with generating and with tokens as labels, which no task here has |
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss
from torch.nn.functional import cross_entropy

import street_world
import tiny_models
import tune_worlds as worlds
from warmstart import process
from warmstart.models.features import logits_of
from warmstart.models.inputs import Inputs
from warmstart.tune.job import Job, Split
from warmstart.tune.step import add_gradients

TESTS = Path(__file__).parents[1]
ROWS = [line.split("|")[1:3] for line in (__doc__ or "").splitlines() if ".py: test_" in line]


@pytest.mark.parametrize(("trap", "place"), ROWS, ids=[trap.strip() for trap, _ in ROWS])
def test_what_closes_a_trap_is_there(trap, place):
    file, name = place.strip().split(": ")
    path = TESTS / file if "/" in file else Path(__file__)
    assert f"def {name}" in path.read_text(encoding="utf-8")


def gradients(model, split, numbers, micro_batch=0):
    """Mean loss and gradients of these rows, gone through in parts, with every layer at rest."""
    plan = worlds.plan(worlds.phase(), micro_batch=micro_batch)
    job = Job(plan, worlds.task(model.source), model.anatomy, {}, ())
    model.module.eval().requires_grad_(True)
    model.module.zero_grad()
    total, count = add_gradients(job, (), split, numbers, 0)
    named = model.module.named_parameters()
    return total / count, {n: p.grad.clone() / count for n, p in named if p.grad is not None}


def relative(one, other):
    flat = [torch.cat([g[n].flatten().double() for n in sorted(g)]) for g in (one, other)]
    return float((flat[0] - flat[1]).norm() / flat[1].norm())


class Padded(Inputs):
    """The same texts with more padding behind them."""

    def __init__(self, inner, more):
        self.inner, self.more = inner, more
        self.lengths, self.key = inner.lengths, f"{inner.key} and {more}"

    def batch(self, numbers):
        return {n: torch.nn.functional.pad(t, (0, self.more)) for n, t in self.inner.batch(numbers).items()}


@pytest.mark.parametrize("name", tiny_models.TEXT)
def test_padding_changes_neither_loss_nor_gradient(name):
    model, split = worlds.pretrained(name), worlds.split(name, 8, 1)
    numbers = np.arange(8)
    loss, found = gradients(model, split, numbers)
    for more in (1, 7, 26):
        padded, with_padding = gradients(model, Split(Padded(split.inputs, more), split.targets), numbers)
        assert padded == pytest.approx(loss, abs=1e-6)
        assert relative(with_padding, found) < 1e-5
        table = next(n for n, m in model.module.named_modules() if m is model.module.get_input_embeddings())
        assert float(with_padding[f"{table}.weight"][0].abs().max()) == 0


@pytest.mark.parametrize("name", tiny_models.NAMES)
def test_parts_of_a_batch_have_the_gradient_of_the_batch(name):
    """The oracle is one forward of the model itself; 8 rows as 8, 4 4, 8 x 1 and 5 3; 3 rows as 3 and 2 1."""
    size = 32 if name.startswith("resnet") else 64
    model, split = worlds.pretrained(name), worlds.split(name, 11, 1, size)
    for numbers, parts in ((np.arange(8), (0, 4, 1, 5)), (np.arange(8, 11), (0, 2))):
        model.module.eval().requires_grad_(True)
        model.module.zero_grad()
        cross_entropy(model.module(**split.inputs.batch(numbers)).logits, split.targets[numbers]).backward()
        expected = {n: p.grad.clone() for n, p in model.module.named_parameters() if p.grad is not None}
        for micro_batch in parts:
            found = relative(gradients(model, split, numbers, micro_batch)[1], expected)
            assert found < 3e-5, (found, micro_batch)


def test_two_evaluations_are_equal_to_the_bit():
    """With dropout in the model, and a training before, between and after."""
    model = worlds.pretrained("bert")
    rows = worlds.split("bert", 70, 5)
    model.anatomy.set_learning(("*",), "learn")
    first = logits_of(model.anatomy, rows.inputs)
    torch.rand(7)
    assert torch.equal(logits_of(model.anatomy, rows.inputs), first)
    worlds.run("bert", worlds.plan(worlds.phase(epochs=1)), model)
    tuned = logits_of(model.anatomy, rows.inputs)
    assert not torch.equal(tuned, first)
    assert torch.equal(logits_of(model.anatomy, rows.inputs), tuned)


def test_looking_more_often_leaves_every_weight_as_it_was():
    plan = worlds.plan(worlds.phase(lr=1e-2, epochs=3), norm_statistics="learn")
    for name in ("bert", "resnet-basic"):
        plain, _ = worlds.run(name, plan)
        model, extra = worlds.pretrained(name), worlds.split(name, 9, 5)

        def tell(event, model=model, extra=extra):
            torch.manual_seed(event.get("steps", 3))
            np.random.seed(5)  # noqa: NPY002
            logits_of(model.anatomy, extra.inputs)

        worlds.run(name, plan, model, tell=tell)
        assert worlds.equal(worlds.state(plain), worlds.state(model))


def test_scores_are_those_of_scikit_learn_on_all_rows_together():
    """Of more rows than go through at a time, the last part being smaller."""
    data = worlds.splits("bert", validation=150)
    model, trained = worlds.run("bert", worlds.plan(worlds.phase(epochs=1)), data=data)
    split = data["validation"]
    with torch.no_grad():
        answers = model.module(**split.inputs.batch(np.arange(150))).logits.double().softmax(-1).numpy()
    truth = split.targets.numpy()
    last = trained.history[-1]
    assert last["validation_accuracy"] == pytest.approx(accuracy_score(truth, answers.argmax(1)), abs=1e-12)
    assert last["validation_loss"] == pytest.approx(log_loss(truth, answers, labels=[0, 1, 2]), abs=1e-5)


def test_the_rows_that_teach_are_each_row_once_an_epoch():
    """Counted where the model is asked, not where the order is made."""
    data, seen = worlds.splits("bert"), []
    inputs = data["train"].inputs

    class Counted(Inputs):
        lengths, key = inputs.lengths, inputs.key

        def batch(self, numbers):
            seen.extend(int(n) for n in numbers)
            return inputs.batch(numbers)

    train = Split(Counted(), data["train"].targets)
    worlds.run("bert", worlds.plan(worlds.phase(epochs=3), micro_batch=3), data={**data, "train": train})
    assert len(seen) == 3 * 22
    for epoch in range(3):
        assert sorted(seen[22 * epoch : 22 * (epoch + 1)]) == list(range(22))


def test_other_orders_of_rows_and_classes_give_the_same_named_answers(world, tmp_path):
    """Sorted by their names the classes stand the other way round; a head that is solved has one solution."""
    rows = street_world.reviews(90)
    other = {"bad": "z-bad", "good": "a-good"}
    asked = [text for text, _ in street_world.reviews(20, seed=9)]
    said = []
    for number, (kept, names) in enumerate(((rows, {"bad": "bad", "good": "good"}), (rows[::-1], other))):
        table = [(text, names[label]) for text, label in kept]
        data = street_world.write_csv(tmp_path / f"reviews{number}.csv", table)
        models = (str(world / "text-model"),)
        _, folder = process.plan(data, runs=tmp_path, models=models, strategy="frozen")
        process.tune(folder)
        said.append(named_answers(folder / "training" / "frozen" / "model", asked, names))
        shutil.rmtree(folder)
    assert np.abs(said[0] - said[1]).max() < 0.02
    assert (said[0].argmax(1) == said[1].argmax(1)).all()


def named_answers(folder, texts, names):
    """Probabilities of bad and good, as transformers alone gives them."""
    from transformers import pipeline

    ask = pipeline("text-classification", str(folder), top_k=None, device="cpu")
    answers = [{a["label"]: a["score"] for a in one} for one in ask(texts)]
    return np.array([[answer[names["bad"]], answer[names["good"]]] for answer in answers])
