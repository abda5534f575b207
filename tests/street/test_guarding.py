"""Guards of a plan go the whole street: asked for, explained, carried out, kept from rivals."""

import json
from pathlib import Path

import pytest

import street_world
from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.cli.main import main
from warmstart.decide.plan_file import read_plan
from warmstart.tune.guards import GUARDS

SHORT = "phases=[{learn: [head], lr: 1e-3, epochs: 1, solver: logistic}, {learn: ['*'], lr: 1e-4, epochs: 2}]"


def walked(place, data, model, guards, *settings, **asked):
    names = ", ".join("{" + f"name: {name}" + "}" for name in guards)
    told = []
    result = process.run(
        data, runs=place / "runs", models=(str(model),), strategy="full", tell=told.append,
        settings=(f"guards=[{names}]", SHORT, *settings), **asked,
    )  # fmt: skip
    return result, told


@pytest.fixture(scope="module")
def knowing(tmp_path_factory):
    """A model with classes of its own, which are not the user's."""
    place = tmp_path_factory.mktemp("knowing")
    model = street_world.text_model(place / "model", classes=("happy", "neutral", "sad"))
    street_world.write_csv(place / "reviews.csv", street_world.reviews(60))
    return place, place / "reviews.csv", model


def test_pictures_with_every_guard_that_they_can_have(world, tmp_path, capsys):
    guards = (
        "early_stop",
        "ema",
        "mixup",
        "label_smoothing",
        "l2_sp",
        "ewc",
        "bss",
        "r3f",
        "mixout",
        "lines",
    )
    result, told = walked(tmp_path, world / "shapes", world / "image-model", guards)
    assert tuple(g["name"] for g in result.plan.guards) == guards
    assert [e for e in told if "weights are held for the new classes" in e.get("what", "")]
    for name in ("frozen", "scratch"):
        there = json.loads((Path(result.run) / "training" / name / "run.json").read_text())
        kept = [guard["name"] for guard in there["run"]["plan"]["guards"]]
        assert kept == [g for g in guards if GUARDS.get(g).mitigates == "overfitting"]
    assert main(["explain", result.run]) == 0
    said = capsys.readouterr().out
    assert all(f"guard {name}()" in said for name in guards)


def test_texts_learn_without_forgetting_what_the_model_s_own_head_says(knowing, tmp_path):
    place, data, model = knowing
    guards = ("early_stop", "lwf", "ewc", "flow", "wise_ft")
    result, told = walked(tmp_path, data, model, guards, "edits=[{name: new_head}]")
    assert not [e for e in told if "weights are held for the new classes" in e.get("what", "")]
    assert result.runs["full"].steps > 0
    plan = read_plan(next((tmp_path / "runs").glob("*/plan.yaml")))
    assert tuple(g["name"] for g in plan.guards) == guards


def test_trials_from_weakened_weights_remember_too(knowing, tmp_path):
    _, data, model = knowing
    result, _ = walked(tmp_path, data, model, ("lwf",), "edits=[{name: new_head}]", probes=("weights",))
    tried = [path.parent.name for path in (Path(result.run) / "trials").glob("weights-*/run.json")]
    assert tried


@pytest.mark.parametrize(
    ("guard", "setting", "code"),
    [
        ("lwf", "edits=[{name: mean_pool}, {name: new_head}]", "wrong-guard"),
        ("mixup", "edits=[{name: new_head}]", "wrong-guard"),
    ],
)
def test_a_guard_that_cannot_be_is_refused_in_words_before_a_step(knowing, tmp_path, guard, setting, code):
    _, data, model = knowing
    with pytest.raises(WarmstartError) as refused:
        walked(tmp_path, data, model, (guard,), setting)
    assert refused.value.code == code
    assert guard in refused.value.wrong


def test_lwf_without_a_head_of_the_source_is_refused_in_words(world, tmp_path):
    with pytest.raises(WarmstartError, match="has no trained one") as refused:
        walked(tmp_path, world / "reviews.csv", world / "text-model", ("lwf",), "edits=[{name: new_head}]")
    assert refused.value.code == "no-head"


def test_guards_are_listed_and_explained_with_their_settings(capsys):
    assert main(["list", "guards"]) == 0
    told = capsys.readouterr().out
    assert all(f"{name} " in told for name in GUARDS.names())
    for name in GUARDS.names():
        assert main(["explain", name]) == 0
        told = capsys.readouterr().out
        if name != "flow":  # which has none
            assert "settings:" in told
        assert "factory" not in told
