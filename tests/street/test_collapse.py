"""A training that collapses to one answer is tried once more at a third of its rates, and that is said."""

from dataclasses import replace

import numpy as np
import pytest

from proof_worlds import BRISK, proof, stage
from warmstart import process
from warmstart.base.types import Phase, Predictions
from warmstart.street import again
from warmstart.street.proofs.no_collapse import collapsed

HIGH, TOO_HIGH = 0.018, 1.0  # of the first a third learns well here; of the second a third collapses too
SETTINGS = {"edits": ({"name": "new_head"},), "guards": (), "seed": 1, "batch": 8}


def phases(lr, **changes):
    return (Phase(("*",), lr, 8, schedule="constant", warmup=0.0, **changes),)


@pytest.fixture(scope="module")
def here(world, tmp_path_factory):
    told = []
    made = stage(world, tmp_path_factory.mktemp("collapse"), "reviews.csv", "text-model")
    return replace(made, trip=replace(made.trip, tell=told.append)), told


def answered(*answers, truth=(0, 1)):
    """Answers to rows that are of these classes in turn."""
    truth_N = np.resize(truth, len(answers))
    return Predictions(np.arange(len(answers)), truth_N, np.eye(3)[list(answers)])


def test_one_answer_to_all_or_to_all_but_one_in_a_hundred_is_a_collapse():
    assert collapsed(answered(*[1] * 20))
    assert collapsed(answered(0, *[1] * 99))
    assert not collapsed(answered(0, 0, *[1] * 98))
    assert not collapsed(answered(0, 1))
    assert not collapsed(answered(*[1] * 20, truth=(1,))), "the truth is one class"


@pytest.mark.parametrize(
    ("rows", "truth", "found"),
    [
        (4, (0, 1), False),
        (7, (0, 1), False),
        (8, (0, 1), True),
        (20, (1,) * 9 + (0,), False),
        (60, (1,) * 9 + (0,), True),
    ],
)
def test_rows_that_are_one_class_by_chance_more_than_once_in_a_hundred_times_tell_nothing(rows, truth, found):
    """The oracle: the truth is drawn anew many times."""
    said = answered(*[1] * rows, truth=truth)
    random = np.random.default_rng(0)
    drawn = random.choice(said.truth, (20_000, rows))
    assert (float((drawn == drawn[:, :1]).all(1).mean()) < 0.01) is found
    assert collapsed(said) is found


def test_a_training_that_collapses_is_tried_at_a_third_of_its_rates_and_that_one_is_shipped(here):
    scene, told = here
    told.clear()
    run = scene.train("full", phases=phases(HIGH, head_lr=HIGH), **SETTINGS)
    assert not collapsed(run.predictions["validation"])
    assert proof(run, "no_collapse").holds
    assert run.plan.phases == phases(HIGH / 3, head_lr=HIGH / 3), "it says how it was trained"
    assert replace(run.plan, phases=()) == replace(scene.planned(**SETTINGS), phases=())
    assert "at a third of the rates it did not" in run.proofs[again.RETRIED]
    (note,) = (e["what"] for e in told if e["event"] == "note")
    assert "one answer to 100 % of 16 validation rows, which are of 2 classes" in note
    folder = scene.trip.path("training", "full")
    assert {p.name for p in folder.iterdir()} == {"model", "anatomy.txt", "run.json", "predictions.npz"}
    plain = scene.train("alone", phases=phases(HIGH / 3, head_lr=HIGH / 3), **SETTINGS)
    one, other = (scene.trip.path("training", n, "model", "model.safetensors") for n in ("full", "alone"))
    assert one.read_bytes() == other.read_bytes(), "the second try is a training like any other"
    assert again.RETRIED not in plain.proofs


def test_a_run_that_was_tried_twice_is_not_trained_again(here):
    scene, told = here
    first = scene.train("twice", phases=phases(HIGH), **SETTINGS)
    told.clear()
    kept = scene.train("twice", phases=phases(HIGH), **SETTINGS)
    assert (kept.plan, kept.ticks, kept.proofs) == (first.plan, first.ticks, first.proofs)
    assert told == []


def test_where_both_tries_collapse_the_better_is_kept_and_the_proof_fails(here):
    scene, _ = here
    run = scene.train("hopeless", phases=phases(TOO_HIGH), **SETTINGS)
    assert proof(run, "no_collapse").holds is False
    assert proof(run, "no_collapse").seen == 1
    assert "at a third of the rates too" in run.proofs[again.RETRIED]
    rates = {phases(TOO_HIGH): "first", phases(TOO_HIGH / 3): "second"}
    assert f"the {rates[run.plan.phases]} try is kept" in run.proofs[again.RETRIED]
    assert proof(run, "saved_is_the_same").holds, "the model in the folder is that of the try that is kept"
    (warned,) = again.finding(run)
    assert warned.level == "warning" and "hopeless collapsed" in warned.what


def test_of_two_tries_that_collapse_that_of_lower_validation_loss_is_kept(here):
    scene, _ = here
    run = scene.train("alone", phases=phases(HIGH / 3, head_lr=HIGH / 3), **SETTINGS)

    def saying(*shares):
        said = replace(answered(*[1] * 20), probabilities=np.tile(shares, (20, 1)))
        return replace(run, predictions={"validation": said}, seconds=1.0, plan=scene.planned())

    close, far = saying(0.45, 0.55, 0.0), saying(0.01, 0.99, 0.0)
    for first, second in ((close, far), (far, close)):
        kept = again.better(first, second)
        assert kept.predictions == close.predictions
        assert kept.seconds == 2.0, "both have taken time"


def test_fresh_weights_and_solved_heads_are_not_tried_again(here):
    scene, told = here
    told.clear()
    run = scene.train("scratch", phases=phases(TOO_HIGH), **{**SETTINGS, "pretrained": False})
    found = proof(run, "no_collapse")
    assert collapsed(run.predictions["validation"])
    assert found.holds is None and "the weights were fresh and learned too little" in found.what
    assert again.RETRIED not in run.proofs
    assert not [e for e in told if e["event"] == "note"]
    (noted,) = again.finding(run)
    assert noted.level == "note" and "its weights were fresh" in noted.what
    solved = replace(run, plan=scene.planned(phases=(Phase(("head",), 1e-3, 1, solver="logistic"),)))
    assert not again.worth(scene.trip, solved)


def test_without_time_left_in_the_budget_there_is_no_second_try(here):
    scene, _ = here
    run = scene.train("hopeless", phases=phases(TOO_HIGH), **SETTINGS)
    spent = replace(scene.trip, options=replace(scene.trip.options, budget="1s"))
    ample = replace(scene.trip, options=replace(scene.trip.options, budget="10h"))
    assert not again.worth(spent, run)
    assert again.worth(ample, run)


def test_a_second_try_that_was_broken_off_is_gone_on_with_to_the_same_end(here):
    scene, _ = here
    whole = scene.train("full", phases=phases(HIGH, head_lr=HIGH), **SETTINGS)

    def stop(event):
        if event["event"] == "look" and event["epoch"] == 2 and seen:
            raise KeyboardInterrupt
        seen.extend([event] if event["event"] == "note" else [])

    seen = []
    broken = replace(scene, trip=replace(scene.trip, tell=stop))
    with pytest.raises(KeyboardInterrupt):
        broken.train("broken", phases=phases(HIGH, head_lr=HIGH), **SETTINGS)
    assert not scene.trip.path("training", "broken", "run.json").exists()
    run = scene.train("broken", phases=phases(HIGH, head_lr=HIGH), **SETTINGS)
    one, other = (scene.trip.path("training", n, "model", "model.safetensors") for n in ("full", "broken"))
    assert one.read_bytes() == other.read_bytes()
    assert run.ticks == whole.ticks


def test_a_run_that_was_tried_twice_is_told_in_the_result(world, tmp_path):
    """Without a guard that would put the look before the collapse back."""
    asked = {"models": (str(world / "text-model"),), "strategy": "full", "rows": 40, **BRISK}
    settings = ("phases.2.lr=1.0", "guards=[]")
    result = process.run(world / "reviews.csv", runs=tmp_path, settings=settings, **asked)
    (told,) = (f for f in result.findings if f.check == "collapse")
    assert told.level == "warning" and told.what.startswith("full collapsed; at a third of the rates too")
    (failed,) = (found for found in result.ticks if found.holds is False)
    assert failed.name == "no_collapse" and "(full)" in failed.what
    assert "a third of the rates" in (tmp_path / "reviews-1" / "report.html").read_text()
