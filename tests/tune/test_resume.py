"""A training broken off anywhere goes on and ends with the same bits; damage is seen, said and survived."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.optim.optimizer import register_optimizer_step_pre_hook

import tune_worlds as worlds
from warmstart.base.errors import WarmstartError
from warmstart.tune import checkpoint
from warmstart.tune.job import Split
from warmstart.tune.loop import Keeping

PLAN = worlds.plan(
    worlds.phase(("head",), lr=3e-2, epochs=2),
    worlds.phase(("*",), lr=4e-2, epochs=4, warmup=0.3, decay=0.8),
    guards=({"name": "early_stop"}, {"name": "wise_ft", "mix": 0.7}),
    micro_batch=3,
)


class PulledOut(Exception):
    """The plug."""


def run(folder, plan=PLAN, looks=None, model=None, data=None, seconds=None, allow_change=False):
    """Train to the end, or with a checkpoint after every step until so many looks at validation rows."""
    seen, told = 0, []
    seconds = (1000.0 if looks is None else 0.0) if seconds is None else seconds

    def tell(event):
        nonlocal seen
        told.append(event)
        seen += event["event"] == "look"
        if seen == looks:
            raise PulledOut

    model = model or worlds.pretrained("bert", num_hidden_layers=1)
    keeping = Keeping(checkpoints=folder, save_seconds=seconds, allow_change=allow_change)
    trained = None
    try:
        _, trained = worlds.run("bert", plan, model, keeping, data, tell)
    except PulledOut:
        assert looks is not None
    return model, trained, told


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """Checkpoints of a training that was broken off in its second phase, and how it ends if it is not."""
    folder = tmp_path_factory.mktemp("broken")
    run(folder / "checkpoints", looks=5)
    model, trained, _ = run(None)
    return folder / "checkpoints", worlds.state(model), trained


@pytest.fixture
def folder(broken, tmp_path):
    return Path(shutil.copytree(broken[0], tmp_path / "checkpoints"))


def notes(told):
    return [event["what"] for event in told if event["event"] == "note"]


def resumed_at(told):
    return [event["steps"] for event in told if event["event"] == "resumed"]


def check_same_end(broken, model, trained):
    _, end, whole = broken
    assert worlds.equal(worlds.state(model), end)
    assert trained.history == whole.history
    assert (trained.steps, trained.proofs) == (whole.steps, whole.proofs)
    assert trained.trained_parameters == whole.trained_parameters


def test_the_two_newest_checkpoints_are_kept_and_no_draft(broken):
    older, newer = checkpoint.found(broken[0])
    assert checkpoint.order(newer) == checkpoint.order(older) + 1 > 12
    assert sorted(broken[0].iterdir()) == [older, newer]


def test_what_is_broken_off_by_an_exception_goes_on_where_it_was(broken, folder):
    model, trained, told = run(folder)
    assert resumed_at(told) == [12]
    assert notes(told) == []
    check_same_end(broken, model, trained)


def test_seconds_of_all_sittings_are_added_up(folder):
    numbers = json.loads((checkpoint.found(folder)[-1] / "numbers.json").read_text())
    assert numbers["seconds"] > 0
    _, trained, _ = run(folder)
    assert trained.seconds > numbers["seconds"]


def test_a_finished_training_is_not_trained_again(broken, folder):
    run(folder)
    stamps = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    model, trained, told = run(folder)
    assert resumed_at(told) == [trained.steps]
    assert not [e for e in told if e["event"] == "look"]
    check_same_end(broken, model, trained)
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == stamps


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


def exchange(path):
    """The same file of the checkpoint before it."""
    shutil.copy(checkpoint.found(path.parents[1])[0] / path.name, path)


FILES = [
    "weights.safetensors",
    "optimiser.safetensors",
    "guard.0.safetensors",
    "numbers.json",
    "manifest.json",
]
DAMAGES = [(file, damage) for file in FILES for damage in (cut, flip, empty, Path.unlink)]
DAMAGES += [(file, exchange) for file in FILES if file != "guard.0.safetensors"]  # which is the same in both


@pytest.mark.parametrize(("file", "damage"), DAMAGES)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before_it(broken, folder, file, damage):
    newest = checkpoint.found(folder)[-1]
    damage(newest / file)
    model, trained, told = run(folder)
    assert resumed_at(told) == [11]
    assert len(notes(told)) == 1
    assert notes(told)[0].startswith(f"checkpoint not used: {newest.name}")
    check_same_end(broken, model, trained)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"files": {}}', '{"fingerprint": 3, "files": 3}']
)
def test_a_manifest_that_is_none_is_damage(broken, folder, text):
    (checkpoint.found(folder)[-1] / "manifest.json").write_text(text)
    model, trained, told = run(folder)
    assert resumed_at(told) == [11]
    check_same_end(broken, model, trained)


def test_where_all_are_damaged_the_training_begins_anew_and_says_so(broken, folder):
    for path in checkpoint.found(folder):
        flip(path / "weights.safetensors")
    model, trained, told = run(folder)
    assert resumed_at(told) == []
    assert len(notes(told)) == 2
    check_same_end(broken, model, trained)


def test_damaged_checkpoints_do_not_count_among_those_that_are_kept(folder):
    flip(checkpoint.found(folder)[-1] / "weights.safetensors")
    run(folder, looks=1)
    assert len(checkpoint.found(folder)) == 2
    for path in checkpoint.found(folder):
        checkpoint.verified(path)


def test_what_else_lies_in_the_folder_is_left_alone(broken, folder):
    (folder / "checkpoint-old").mkdir()
    (folder / "notes.txt").write_text("mine")
    number = checkpoint.order(checkpoint.found(folder)[-1]) + 1
    (folder / f".checkpoint-{number:06d}.999999999.tmp").mkdir()  # a draft of a process that is gone
    model, trained, _ = run(folder)
    check_same_end(broken, model, trained)
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "checkpoint-old").is_dir()
    assert not list(folder.glob(".*"))


def other_labels():
    data = worlds.splits("bert")
    train = data["train"]
    return {**data, "train": Split(train.inputs, train.targets.roll(1))}


OTHERS = {
    "another rate": lambda: {
        "plan": replace(PLAN, phases=(replace(PLAN.phases[0], lr=1e-2), PLAN.phases[1]))
    },
    "another batch": lambda: {"plan": replace(PLAN, batch=7)},
    "another guard": lambda: {"plan": replace(PLAN, guards=PLAN.guards[:1])},
    "another seed": lambda: {"plan": replace(PLAN, seed=4)},
    "other rows": lambda: {"data": worlds.splits("bert", train=20)},
    "other labels": lambda: {"data": other_labels()},
    "another model": lambda: {"model": worlds.pretrained("bert", seed=1, num_hidden_layers=1)},
}


CHANGES = {
    "another rate": "phases.0.lr: 0.03 -> 0.01",
    "another batch": "batch: 8 -> 7",
    "another guard": "guards.1.name: wise_ft -> nothing; guards.1.mix: 0.7 -> nothing",
    "another seed": "seed: 3 -> 4",
    "other rows": "the training rows or their labels are others",
    "other labels": "the training rows or their labels are others",
    "another model": "the model is another one: its weights before the first step differ",
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_training_is_refused_with_what_changed_and_harms_nothing(folder, name):
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    with pytest.raises(WarmstartError) as refused:
        run(folder, **OTHERS[name]())
    assert (refused.value.code, refused.value.exit_code) == ("changed", 2)
    assert refused.value.wrong.endswith(f"than it is asked for now: {CHANGES[name]}")
    assert "--allow-change" in refused.value.do
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


@pytest.mark.parametrize("name", ["other rows", "other labels", "another model"])
def test_a_change_of_rows_or_model_begins_anew_where_it_is_allowed(folder, name):
    model, trained, told = run(folder, **OTHERS[name](), allow_change=True)
    assert resumed_at(told) == []
    assert notes(told)[-1].startswith("the training was changed: begun anew, since weights that learned from")
    fresh, whole, _ = run(None, **OTHERS[name]())
    assert worlds.equal(worlds.state(model), worlds.state(fresh))
    assert trained.history == whole.history


@pytest.mark.parametrize("name", ["another rate", "another batch", "another guard", "another seed"])
def test_a_change_of_the_plan_goes_on_from_the_weights_where_it_is_allowed(folder, name):
    """The phase in which it was begins anew, and the record says from where it went on."""
    kept = checkpoint.look(folder, identity_in(folder)).own
    seen = []

    def note(stepper, args, kwargs):
        seen.append(worlds.state(model)) if not seen else None

    model = worlds.pretrained("bert", num_hidden_layers=1)
    hook = register_optimizer_step_pre_hook(note)
    try:
        _, trained, told = run(folder, **OTHERS[name](), model=model, allow_change=True)
    finally:
        hook.remove()
    assert worlds.equal({n: seen[0][n] for n in kept.tensors["weights"]}, kept.tensors["weights"])
    assert "gone on from the weights after 12 steps; phase 2 begins anew" in notes(told)[-1]
    assert trained.proofs["plan_changed"] == f"after 12 steps: {CHANGES[name]}"
    assert trained.history[: len(kept.numbers["job"]["history"])] == tuple(kept.numbers["job"]["history"])
    assert [look["epoch"] for look in trained.history[-4:]] == [1, 2, 3, 4]
    again = run(folder, **OTHERS[name]())[2]
    assert resumed_at(again) == [trained.steps]


def test_weights_that_would_be_frozen_now_are_not_gone_on_from(folder):
    head = worlds.plan(worlds.phase(("head",), epochs=3), guards=PLAN.guards, micro_batch=3)
    _, _, told = run(folder, head, allow_change=True)
    assert "begun anew, since layers that have learned would be frozen now" in notes(told)[-1]


def identity_in(folder):
    return checkpoint.verified(checkpoint.found(folder)[-1])


def test_another_number_of_threads_is_said_and_the_training_goes_on(broken, folder, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    model, trained, told = run(folder)
    assert resumed_at(told) == [12]
    assert notes(told) == ["begun with threads 1 -> 7: the last bits may differ from a training in one go"]


def test_another_body_below_a_head_that_learns_alone_is_another_model(tmp_path):
    """The weights that learn are the same in both; those below them are not."""
    head = worlds.plan(worlds.phase(("head",), epochs=3))
    first, second = (worlds.pretrained("bert", num_hidden_layers=1) for _ in range(2))
    with torch.no_grad():
        second.module.bert.pooler.dense.weight.mul_(1.01)
    run(tmp_path, head, looks=3, model=first)
    with pytest.raises(WarmstartError, match="its weights before the first step differ"):
        run(tmp_path, head, model=second)


def test_other_reasons_are_no_other_plan(broken, folder):
    from warmstart.base.types import Reason

    told = run(folder, replace(PLAN, reasons=(Reason("a", "b", "c"),)))[2]
    assert resumed_at(told) == [12]


def test_nothing_is_read_by_unpickling(broken):
    assert {p.suffix for p in broken[0].rglob("*") if p.is_file()} == {".safetensors", ".json"}


def test_a_file_that_no_manifest_names_is_not_read(broken, folder):
    save_file({"x": torch.zeros(3)}, checkpoint.found(folder)[-1] / "guard.7.safetensors")
    model, trained, told = run(folder)
    assert resumed_at(told) == [12]
    check_same_end(broken, model, trained)


def test_a_place_that_cannot_be_written_to_is_said_and_the_training_goes_on(broken, tmp_path):
    (tmp_path / "file").write_text("in the way")
    model, trained, told = run(tmp_path / "file" / "checkpoints", seconds=0.0)
    assert len(notes(told)) > trained.steps
    check_same_end(broken, model, trained)


def test_checkpoints_are_written_no_more_often_than_asked_for_but_at_the_end_of_each_phase(tmp_path):
    model = worlds.pretrained("bert", num_hidden_layers=1)
    worlds.run("bert", PLAN, model, Keeping(checkpoints=tmp_path, save_seconds=1000.0))
    assert [p.name for p in checkpoint.found(tmp_path)] == ["checkpoint-000001", "checkpoint-000002"]


def test_how_often_one_saves_and_looks_back_changes_no_bit(broken, tmp_path):
    model = worlds.pretrained("bert", num_hidden_layers=1)
    _, trained = worlds.run("bert", PLAN, model, Keeping(checkpoints=tmp_path, save_seconds=1000.0))
    check_same_end(broken, model, trained)


def test_a_checkpoint_holds_only_what_moves(tmp_path):
    run(tmp_path, worlds.plan(worlds.phase(("head",), epochs=1)))
    weights = load_file(checkpoint.found(tmp_path)[-1] / "weights.safetensors")
    assert set(weights) == {"classifier.weight", "classifier.bias"}
