"""A number that is none never moves a weight and never reaches a file; which rows it came from is said."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook
from trainings import finite

import tune_worlds as worlds
from warmstart.base.errors import WarmstartError
from warmstart.models.inputs import Inputs
from warmstart.street.training import Ready, answer
from warmstart.tasks.image_classification import ImageClassification
from warmstart.tasks.text_classification import TextClassification
from warmstart.tune import checkpoint
from warmstart.tune.finite import is_finite
from warmstart.tune.loop import Keeping

NAN, INF = float("nan"), float("inf")
PLAN = worlds.plan(worlds.phase(lr=1e-3, epochs=3), guards=({"name": "early_stop"},))
UNREAD = 70  # a token that no row has


class Poisoned(Inputs):
    """Rows of which some are `value` from the `first` time on that they are asked for, or that once only."""

    def __init__(self, inner, rows, value, first=0, once=False):
        self.inner, self.rows, self.value, self.first, self.once = inner, rows, value, first, once
        self.lengths, self.key, self.asked = inner.lengths, f"poisoned {inner.key}", 0

    def batch(self, numbers):
        state = self.inner.batch(numbers)
        bad = np.isin(np.asarray(numbers), self.rows)
        self.asked += bool(bad.any())
        if self.asked > self.first and not (self.once and self.asked > self.first + 1):
            state["pixel_values"][bad] = self.value
        return state


def lossy(kind, value, steps):
    """The task, with a loss of training that is `value` in these steps."""

    class Lossy(kind):
        seen = 0

        def loss(self, logits_BC, targets_B):
            total, count = super().loss(logits_BC, targets_B)
            if not total.requires_grad:
                return total, count
            Lossy.seen += 1
            return (total * value if Lossy.seen in steps else total), count

    return Lossy()


def run(folder, name="bert", task=None, data=None, model=None, plan=PLAN):
    """Train with a checkpoint after every step; returns the run or its error, and the notes."""
    from warmstart.tune.loop import tune

    told = []
    model = model or worlds.pretrained(name, **({"num_hidden_layers": 1} if name == "bert" else {}))
    keeping = Keeping(checkpoints=folder, save_seconds=0.0)
    try:
        given = (task or worlds.task(name), data or worlds.splits(name))
        ended = tune(model, plan, *given, keeping, told.append)
    except WarmstartError as error:
        ended = error
    return ended, [event["what"] for event in told if event["event"] == "note"]


def check_refused(ended, *words):
    assert isinstance(ended, WarmstartError), ended
    assert (ended.code, ended.exit_code) == ("not-finite", 2)
    assert all(word in ended.wrong for word in words), ended.wrong


def saved_steps(folder):
    path = checkpoint.found(folder)[-1]
    checkpoint.verified(path)
    return checkpoint.read(path).numbers["job"]["steps"]


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("steps", [{2}, {3, 4, 5}])
def test_a_loss(tmp_path, value, steps):
    ended, notes = run(tmp_path, task=lossy(TextClassification, value, steps))
    assert len(notes) == len(steps)
    assert all("training rows" in note and f"the loss ({value:g})" in note for note in notes)
    if len(steps) == 1:
        assert (ended.steps, ended.proofs["steps_skipped"]) == (9, 1)
    else:
        check_refused(ended, "3 steps in a row", "phase 1, epoch 2, step 2", "training rows")
        assert saved_steps(tmp_path) == 4
    assert finite(tmp_path)


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("steps", [{1, 2, 8}, range(4, 100)])
def test_one_gradient(tmp_path, value, steps):
    model = worlds.pretrained("bert", num_hidden_layers=1)
    weight = model.module.bert.encoder.layer[0].attention.self.value.weight
    calls = iter(range(1, 100))

    def poison(gradient):
        if next(calls) in steps:
            gradient = gradient.clone()
            gradient[3, 2] = value
        return gradient

    weight.requires_grad_(True).register_hook(poison)
    ended, notes = run(tmp_path, model=model)
    assert len(notes) == 3
    assert all("or its gradient is not finite" in note for note in notes)
    if isinstance(steps, range):
        check_refused(ended, "3 steps in a row", "phase 1, epoch 2, step 3")
        assert saved_steps(tmp_path) == 5
    else:
        assert ended.proofs["steps_skipped"] == 3
    assert finite(tmp_path)


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("where", ["classifier.bias", "bert.embeddings.word_embeddings.weight"])
def test_one_weight_also_one_that_no_row_reads(tmp_path, value, where):
    model = worlds.pretrained("bert", num_hidden_layers=1)
    weight, calls = model.module.get_parameter(where), iter(range(1, 100))

    def poison(stepper, args, kwargs):
        if next(calls) == 4:
            with torch.no_grad():
                weight[UNREAD if weight.dim() > 1 else 1] = value

    hook = register_optimizer_step_post_hook(poison)
    try:
        ended, _ = run(tmp_path, model=model)
    finally:
        hook.remove()
    check_refused(ended, where, "no longer finite after 4 steps")
    assert saved_steps(tmp_path) == 3
    assert finite(tmp_path)


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("statistics", ["frozen", "learn"])
@pytest.mark.parametrize("rows", [[5], range(22)], ids=["one", "all"])
def test_one_input_or_all(tmp_path, value, rows, statistics):
    """Statistics of norms that learn see the rows before the loss does; they are put back."""
    data = worlds.splits("resnet-basic")
    data["train"] = replace(data["train"], inputs=Poisoned(data["train"].inputs, list(rows), value))
    data["train"] = replace(data["train"], name_of=lambda n: f"photos/{n}.png")
    plan = replace(PLAN, norm_statistics=statistics)
    ended, notes = run(tmp_path, "resnet-basic", data=data, plan=plan)
    assert len(notes) == 3
    if len(rows) == 1:
        assert ended.proofs["steps_skipped"] == 3
        assert all("training rows photos/5.png;" in note for note in notes)
    else:
        check_refused(ended, "3 steps in a row", "photos/")
    assert finite(tmp_path)


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("first", [0, 2])
def test_validation_rows_are_counted_and_named(tmp_path, value, first):
    data = worlds.splits("resnet-basic")
    inputs = Poisoned(data["validation"].inputs, [2, 7], value, first)
    data["validation"] = replace(data["validation"], inputs=inputs, name_of=lambda n: f"photos/{n}.png")
    ended, _ = run(tmp_path, "resnet-basic", data=data)
    check_refused(
        ended, "2 of 14 rows: photos/2.png, photos/7.png", f"after {3 * first} steps" if first else ""
    )
    if first:
        assert saved_steps(tmp_path) == 6
        assert finite(tmp_path)
    else:
        assert not checkpoint.found(tmp_path)


@pytest.mark.parametrize("value", [NAN, INF])
def test_answers_that_are_none_are_not_kept(value):
    """A test row is asked about only once the model is tuned."""
    data = worlds.splits("resnet-basic")
    test = replace(data["validation"], inputs=Poisoned(data["validation"].inputs, [3], value))
    data = {**data, "test": replace(test, name_of=lambda n: f"photos/{n}.png")}
    ready = Ready(data, {name: tuple(range(len(split))) for name, split in data.items()}, "fp32", ())
    with pytest.raises(WarmstartError, match="to 1 of 14 rows: photos/3.png"):
        answer(worlds.pretrained("resnet-basic"), PLAN, worlds.task("resnet-basic"), ready)


def test_the_last_good_weights_are_what_the_next_try_begins_with(tmp_path):
    """Three steps too many are behind; with the cause gone and a smaller rate the training goes on."""
    broken = lossy(TextClassification, NAN, {5, 6, 7})
    check_refused(run(tmp_path, task=broken)[0])
    before = checkpoint.read(checkpoint.found(tmp_path)[-1]).tensors["weights"]
    assert all(bool(torch.isfinite(t).all()) for t in before.values())
    told = []
    slower = replace(PLAN, phases=(replace(PLAN.phases[0], lr=1e-4),))
    model = worlds.pretrained("bert", num_hidden_layers=1)
    keeping = Keeping(checkpoints=tmp_path, allow_change=True)
    _, trained = worlds.run("bert", slower, model, keeping, tell=told.append)
    assert trained.steps == 6 + 9
    assert math.isfinite(trained.history[-1]["validation_loss"])
    assert any("gone on from the weights after 6 steps" in e["what"] for e in told if e["event"] == "note")


def test_a_picture_task_with_a_broken_loss_is_no_exception(tmp_path):
    ended, notes = run(tmp_path, "resnet-basic", task=lossy(ImageClassification, NAN, {1}))
    assert (ended.proofs["steps_skipped"], len(notes)) == (1, 1)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16, torch.float64], ids=str)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_found_wherever_it_stands(kind, bad):
    source = torch.Generator().manual_seed(0)
    for place in torch.randint(0, 3000, (20,), generator=source).tolist():
        tensor = torch.randn(50, 60, generator=source).to(kind)
        assert is_finite(tensor)
        tensor.view(-1)[place] = bad
        assert not is_finite(tensor)
        tensor.view(-1)[(place + 1) % 3000] = -bad
        assert not is_finite(tensor)


def test_numbers_whose_sum_is_too_large_are_numbers_all_the_same():
    assert is_finite(torch.full((1000,), 3e38))
    assert is_finite(torch.full((1000,), 6e4, dtype=torch.float16))
    assert is_finite(torch.zeros(0)) and is_finite(torch.tensor([2**31]))
