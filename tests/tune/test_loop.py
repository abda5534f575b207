"""The loop as a whole: what it learns, what it tells, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

import tune_worlds as worlds
from warmstart.base.errors import WarmstartError
from warmstart.models.features import logits_of
from warmstart.models.inputs import Inputs
from warmstart.tune.job import Split


def test_a_training_learns_what_can_be_learned():
    plan = worlds.plan(worlds.phase(("head",), lr=1e-2), worlds.phase(lr=5e-3, epochs=8))
    data = worlds.splits("bert", train=96, validation=40)
    _, trained = worlds.run("bert", plan, data=data)
    assert trained.history[0]["validation_accuracy"] < 0.6
    assert trained.history[-1]["validation_accuracy"] > 0.95


def test_the_first_look_is_at_the_model_as_it_came():
    model = worlds.pretrained("bert")
    split = worlds.splits("bert")["validation"]
    logits = logits_of(model.anatomy, split.inputs).double()
    expected = float(torch.nn.functional.cross_entropy(logits, split.targets))
    _, trained = worlds.run("bert", worlds.plan(worlds.phase(epochs=1)), model)
    first = trained.history[0]
    assert (first["phase"], first["epoch"], first["step"], first["train_loss"]) == (0, 0, 0, None)
    assert first["validation_loss"] == pytest.approx(expected)
    assert first["validation_accuracy"] == float((logits.argmax(1) == split.targets).double().mean())


def test_history_counts_phases_epochs_and_steps():
    plan = worlds.plan(worlds.phase(("head",), epochs=2), worlds.phase(epochs=1, lr=1e-4))
    _, trained = worlds.run("bert", plan)
    places = [(look["phase"], look["epoch"], look["step"]) for look in trained.history]
    assert places == [(0, 0, 0), (1, 1, 3), (1, 2, 6), (2, 1, 9)]
    assert trained.steps == 9
    assert all(np.isfinite(look["validation_loss"]) for look in trained.history)


def test_a_tuned_model_rests():
    model, _ = worlds.run("bert", worlds.plan(worlds.phase(epochs=1)))
    assert not any(module.training for module in model.module.modules())


def test_parameters_that_learned_in_any_phase_are_counted_once():
    model = worlds.pretrained("bert")
    plan = worlds.plan(worlds.phase(("head",), epochs=1), worlds.phase(("top:1",), epochs=1))
    _, trained = worlds.run("bert", plan, model)
    names = ("pooler", "head")
    assert trained.trained_parameters == sum(p.numel() for n in names for p in model.anatomy.parameters(n))


def test_the_clip_bounds_the_norm_of_the_gradient():
    norms = []

    def note(stepper, args, kwargs):
        grads = [p.grad for table in stepper.param_groups for p in table["params"]]
        norms.append(float(torch.stack([g.norm() for g in grads]).norm()))

    hook = register_optimizer_step_post_hook(note)  # the optimiser scales while it steps
    try:
        worlds.run("bert", worlds.plan(worlds.phase(epochs=1), clip=0.01))
        worlds.run("bert", worlds.plan(worlds.phase(epochs=1), clip=1e6))
    finally:
        hook.remove()
    assert norms[:3] == pytest.approx([0.01] * 3, rel=1e-4)
    assert min(norms[3:]) > 0.02


class Poisoned(Inputs):
    """Rows of which one makes the model answer what is no number."""

    def __init__(self, inner, number):
        self.inner, self.number = inner, number
        self.lengths, self.key = inner.lengths, f"poisoned {inner.key}"

    def batch(self, numbers):
        state = self.inner.batch(numbers)
        state["pixel_values"][np.asarray(numbers) == self.number] = float("nan")
        return state


def poisoned(split, number=5):
    data = worlds.splits("resnet-basic")
    return {**data, split: replace(data[split], inputs=Poisoned(data[split].inputs, number))}


@pytest.mark.parametrize("micro_batch", [0, 3])
def test_a_step_whose_loss_is_no_number_is_skipped_and_its_row_is_named(micro_batch):
    model, told = worlds.pretrained("resnet-basic"), []
    plan = worlds.plan(worlds.phase(lr=1e-3, epochs=3), micro_batch=micro_batch)
    _, trained = worlds.run("resnet-basic", plan, model, None, poisoned("train"), told.append)
    notes = [event["what"] for event in told if event["event"] == "note"]
    assert len(notes) == trained.proofs["steps_skipped"] == 3  # once an epoch
    assert all(note.endswith("training rows 5; the step was skipped (1 in a row)") for note in notes)
    weights = worlds.state(model)
    assert all(bool(torch.isfinite(t).all()) for t in weights.values() if t.is_floating_point())


def test_a_model_that_answers_no_numbers_is_refused_before_it_is_trained():
    model = worlds.pretrained("bert")
    with torch.no_grad():
        model.module.classifier.bias[0] = float("nan")
    with pytest.raises(WarmstartError, match="classifier.bias holds numbers that are not finite") as caught:
        worlds.run("bert", worlds.plan(worlds.phase()), model)
    assert caught.value.code == "not-finite"


def test_validation_rows_that_give_no_numbers_are_refused():
    with pytest.raises(WarmstartError, match="validation rows"):
        worlds.run("resnet-basic", worlds.plan(worlds.phase()), data=poisoned("validation"))


def test_an_overflow_stops_before_it_reaches_a_saved_weight():
    plan = worlds.plan(worlds.phase(lr=1e30, epochs=4, warmup=0.0, schedule="constant"), clip=1e30)
    model = worlds.pretrained("bert")
    with pytest.raises(WarmstartError) as caught:
        worlds.run("bert", plan, model)
    assert caught.value.code == "not-finite"


PHASE = worlds.phase()
WRONG = {
    "phases": {"phases": ()},
    "learn": {"phases": (replace(PHASE, learn=()),)},
    "group": {"phases": (replace(PHASE, learn=("haed",)),)},
    "lr": {"phases": (replace(PHASE, lr=0.0),)},
    "lr nan": {"phases": (replace(PHASE, lr=float("nan")),)},
    "lr inf": {"phases": (replace(PHASE, lr=float("inf")),)},
    "head_lr": {"phases": (replace(PHASE, head_lr=-1e-3),)},
    "leave": {"phases": (replace(PHASE, leave=1.5),)},
    "epochs": {"phases": (PHASE, replace(PHASE, epochs=0))},
    "decay": {"phases": (replace(PHASE, decay=1.5),)},
    "decay zero": {"phases": (replace(PHASE, decay=0.0),)},
    "warmup": {"phases": (replace(PHASE, warmup=2.0),)},
    "weight_decay": {"phases": (replace(PHASE, weight_decay=-0.1),)},
    "schedule": {"phases": (replace(PHASE, schedule="linaer"),)},
    "solver": {"phases": (replace(PHASE, solver="logstic"),)},
    "batch": {"batch": 0},
    "micro_batch": {"micro_batch": -1},
    "clip": {"clip": 0.0},
    "norm_statistics": {"norm_statistics": "lern"},
    "mode": {"mode": "supervized"},
    "guard": {"guards": ({"name": "early_stopp"},)},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_plan_that_cannot_be_trained_is_refused_before_the_first_step(name):
    model = worlds.pretrained("bert")
    before = worlds.state(model)
    plan = replace(worlds.plan(PHASE), **WRONG[name])
    told = []
    with pytest.raises(WarmstartError) as caught:
        worlds.run("bert", plan, model, tell=told.append)
    assert caught.value.do
    assert not [e for e in told if e["event"] == "step"]
    assert worlds.equal(worlds.state(model), before)


def test_a_misspelt_choice_is_answered_with_the_nearest():
    with pytest.raises(WarmstartError, match="phases.0.schedule = 'linaer'") as caught:
        worlds.run("bert", replace(worlds.plan(PHASE), **WRONG["schedule"]))
    assert "'linear'" in caught.value.do


def test_two_trainings_of_the_same_plan_are_the_same_and_other_seeds_differ():
    ends = [worlds.state(worlds.run("bert", worlds.plan(PHASE, seed=s))[0]) for s in (1, 1, 2)]
    assert worlds.equal(ends[0], ends[1])
    assert not worlds.equal(ends[0], ends[2])


def test_a_single_row_can_be_learned_from():
    data = worlds.splits("bert", train=1, validation=1)
    _, trained = worlds.run("bert", worlds.plan(PHASE), data=data)
    assert trained.steps == 2


def test_targets_and_inputs_are_as_many():
    split = worlds.split("bert", 7, 0)
    assert len(split) == len(split.inputs) == 7
    assert isinstance(split, Split)


def test_progress_tells_how_far_and_how_fast(monkeypatch):
    told = []
    clock = iter(np.arange(0.0, 1e6, 0.6))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    worlds.run("bert", worlds.plan(worlds.phase(epochs=4)), tell=told.append)
    steps = [event for event in told if event["event"] == "step"]
    assert len(steps) >= 5
    for event in steps:
        assert event["of"] == 12
        assert 0 < event["steps"] <= 12
        assert event["rows_per_second"] > 0
        assert event["seconds_left"] >= 0
        assert np.isfinite(event["loss"])
