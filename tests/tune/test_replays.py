"""Steps that are recorded and replayed do what steps do. Here what is recorded is simply done again."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

import tune_worlds as worlds
from warmstart.models import flash
from warmstart.models.inputs import Inputs
from warmstart.tune import loop, together
from warmstart.tune.loop import Keeping
from warmstart.tune.replays import Replays

ROWS = {"train": 44, "validation": 10}  # five whole batches of eight and a rest


def from_bounds(q, k, v, layout, scale, dropout, sight):
    """An oracle of the kernels: it knows the rows by their boundaries alone, as they do."""
    asked, asking = layout.bounds, layout.heads if len(q) != len(k) else layout.bounds
    owners = torch.searchsorted(asked, torch.arange(len(k)), right=True)
    askers = torch.searchsorted(asking, torch.arange(len(q)), right=True)
    mask = owners[None] == askers[:, None]
    heads = (x.transpose(0, 1)[None] for x in (q, k, v))
    return scaled_dot_product_attention(*heads, attn_mask=mask, scale=scale)[0].transpose(0, 1)


@pytest.fixture
def fused(monkeypatch):
    monkeypatch.setattr(flash, "kernel", lambda *given: from_bounds)


class Made(list):
    """Every `Replays` that a training made. `tape` records for them: what it is given is done again.

    A graph writes gradients where they were while it was recorded; so does this.
    """

    replayed = 0

    def tape(self, work):
        places = [(p, p.grad) for p in together.parameters(self[-1].stepper)]

        def replay():
            self.replayed += 1
            for parameter, gradient in places:
                parameter.grad = gradient
            work()
            self[-1].stepper.zero_grad(set_to_none=True)

        return replay


@pytest.fixture
def made(monkeypatch):
    found = Made()

    def replays(job, guards, stepper, start):
        found.append(Replays(job, stepper, start, lambda work: found.tape(work)))
        job.spare = found[-1].forget
        return found[-1]

    monkeypatch.setattr(loop, "replays", replays)
    return found


def trained(name, epochs=3, tell=None, keeping=None, data=None, plan=None):
    calm = worlds.CALM if name == "bert" else {}
    plan = plan or worlds.plan(worlds.phase(lr=1e-3, epochs=epochs))
    model = worlds.pretrained(name, **calm)
    return worlds.run(name, plan, model, keeping, data or worlds.splits(name, **ROWS), tell)


def ordinary(monkeypatch, *given, **options):
    with monkeypatch.context() as patch:
        patch.setattr(loop, "replays", lambda *a: None)
        return trained(*given, **options)


@pytest.mark.parametrize("name", ["bert", "resnet-basic", "vit"])
def test_replayed_steps_do_what_steps_do(name, made, fused, monkeypatch):
    size = {"vit": 64}.get(name, 32)
    data = worlds.splits(name, **ROWS, size=size)
    (one, first), (other, second) = trained(name, data=data), ordinary(monkeypatch, name, data=data)
    (replays,) = made
    assert replays.recorded and replays.working
    assert first.steps == second.steps == 18
    assert worlds.largest_difference(worlds.state(one), worlds.state(other)) < 1e-6
    for a, b in zip(first.history, second.history, strict=True):
        assert (a["train_loss"] or 0) == pytest.approx(b["train_loss"] or 0, rel=1e-6)
        assert a["validation_loss"] == pytest.approx(b["validation_loss"], rel=1e-6)


def test_one_recording_serves_all_batches_of_its_size(made, fused):
    trained("bert")
    (replays,) = made
    whole = 15  # steps of eight rows; the first of each size is an ordinary one
    assert 1 <= len(replays.recorded) <= 3
    assert made.replayed == whole - len(replays.seen)


class Poisoned(Inputs):
    """One row holds no number."""

    def __init__(self, whole, row):
        self.whole, self.row = whole, row
        self.lengths, self.key = whole.lengths, f"{whole.key} poisoned"

    def batch(self, numbers):
        state = self.whole.batch(numbers)
        state["pixel_values"][np.asarray(numbers) == self.row] = float("nan")
        return state


def test_a_replayed_step_that_is_not_finite_moves_nothing_and_names_its_row(made, monkeypatch):
    data = worlds.splits("resnet-basic", **ROWS)
    train = data["train"]
    data["train"] = type(train)(Poisoned(train.inputs, 17), train.targets, lambda i: f"row {i}")
    notes = []
    (one, first), (other, second) = (
        how("resnet-basic", data=data, tell=notes[-1].append)
        for how in (trained, lambda *a, **k: ordinary(monkeypatch, *a, **k))
        if notes.append([]) is None
    )
    assert made[0].recorded
    assert first.proofs["steps_skipped"] == second.proofs["steps_skipped"] == 3
    said = [[e["what"] for e in told if e["event"] == "note"] for told in notes]
    assert said[0] == said[1] and all("row 17" in line for line in said[0])
    assert worlds.largest_difference(worlds.state(one), worlds.state(other)) < 1e-6


def test_what_cannot_be_recorded_goes_on_in_the_ordinary_way(made, monkeypatch):
    """Attention in buckets differs from batch to batch."""
    told, made.tape = [], lambda work: work()  # a recorder asks for all that the work asks for
    (one, _), (other, _) = trained("bert", tell=told.append), ordinary(monkeypatch, "bert")
    (replays,) = made
    assert not replays.working and not replays.recorded
    assert worlds.equal(worlds.state(one), worlds.state(other))
    assert not [event for event in told if event["event"] == "note"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            RuntimeError("operation not permitted when stream is capturing\nand more"),
            "operation not permitted",
        ),
        (MemoryError(), "MemoryError"),
    ],
)
def test_a_fault_of_the_recorder_is_said_and_the_training_goes_on(fault, said, made, monkeypatch):
    def broken(work):
        raise fault

    told, made.tape = [], broken
    (one, _), (other, _) = (
        trained("resnet-basic", tell=told.append),
        ordinary(monkeypatch, "resnet-basic"),
    )
    assert worlds.equal(worlds.state(one), worlds.state(other))
    (note,) = [event["what"] for event in told if event["event"] == "note"]
    assert note.startswith(f"steps are not replayed as graphs here ({said}") and "\n" not in note


def test_rows_that_go_through_in_parts_are_not_replayed(made):
    plan = worlds.plan(worlds.phase(epochs=2), micro_batch=4)
    trained("resnet-basic", plan=plan)
    (replays,) = made
    assert not replays.seen


@pytest.mark.parametrize("name", ["bert", "resnet-basic"])
def test_a_training_that_is_taken_up_ends_as_in_one_go(name, made, fused, tmp_path):
    class Enough(Exception):
        pass

    def stop(event):
        if event["event"] == "look" and event["epoch"] == 2:
            raise Enough

    whole, _ = trained(name)
    keeping = Keeping(checkpoints=tmp_path, save_seconds=0)
    with pytest.raises(Enough):
        trained(name, tell=stop, keeping=keeping)
    again, _ = trained(name, keeping=keeping)
    assert worlds.largest_difference(worlds.state(whole), worlds.state(again)) < 1e-6


class Scarce(Inputs):
    """Reading more than four rows takes too much memory, once `after` reads have gone well."""

    def __init__(self, whole, after):
        self.whole, self.after, self.lengths, self.key = whole, after, whole.lengths, "scarce"

    def batch(self, numbers):
        self.after -= 1
        if self.after < 0 and len(numbers) > 4:
            raise MemoryError
        return self.whole.batch(numbers)


@pytest.mark.parametrize("after", [1, 2, 5])
def test_memory_that_runs_out_while_a_replayed_step_reads_halves_the_rows(made, after):
    data, told = worlds.splits("resnet-basic", **ROWS), []
    data["train"] = replace(data["train"], inputs=Scarce(data["train"].inputs, after))
    _, run = trained("resnet-basic", data=data, tell=told.append)
    assert run.steps == 18
    notes = [event["what"] for event in told if event["event"] == "note"]
    assert len(notes) == 1 and "from now on 4" in notes[0]
    assert not made[0].working and not made[0].recorded and not made[0].gradients


def test_what_was_recorded_is_given_back_before_fewer_rows_are_taken(made, monkeypatch):
    """The last batch, an ordinary one, does not fit beside what was recorded."""
    whole, told = loop.one_step, []

    def scarce(job, *given):
        if made[0].recorded:
            with monkeypatch.context() as patch:
                patch.setattr(type(job.task), "loss_of", lambda *a: given_back(job, *a))
                return whole(job, *given)
        return whole(job, *given)

    def given_back(job, task, *given):
        if made[0].recorded:
            raise MemoryError
        return loss_of(task, *given)

    task = type(worlds.task("resnet-basic"))
    loss_of = task.loss_of
    monkeypatch.setattr(loop, "one_step", scarce)
    _, run = trained("resnet-basic", tell=told.append)
    assert run.steps == 18 and made.replayed
    assert not [event for event in told if event["event"] == "note"]
    assert not made[0].working
