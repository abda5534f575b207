"""The control with shuffled labels: what it teaches, that it is done once, and what it says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from street_world import reviews, stamps, text_model, write_csv
from warmstart import process
from warmstart.base.types import Facts, Measure
from warmstart.data.bundle import load_bundle
from warmstart.decide.choose import plan_for
from warmstart.report.overfitted import control as told
from warmstart.street import shuffled, stops


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    place = tmp_path_factory.mktemp("shuffled")
    write_csv(place / "rows.csv", reviews(90))
    settings, model = ("phases.2.epochs=40", "phases.2.lr=0.003"), str(text_model(place / "model"))
    with process.one_thread():
        asked = {"strategy": "full", "baseline": False, "settings": settings, "models": (model,)}
        return process.run(place / "rows.csv", runs=place, probes=("random-labels",), **asked)


def lessons(result):
    bundle = load_bundle(Path(result.run))
    return shuffled.lessons(result.plan, result.facts, bundle), bundle


def test_shuffled_labels_are_the_same_labels_in_another_order(result):
    (mixed, true), bundle = lessons(result)
    truth = stops.task_of(bundle).targets(bundle, bundle.train).numpy()
    assert (true.labels_N == truth).all()
    assert (mixed.places == true.places).all()
    assert np.bincount(mixed.labels_N).tolist() == np.bincount(truth).tolist()
    changed = (mixed.labels_N != truth).mean()
    assert 0.3 < changed < 0.7, "with two classes half of them stay by chance"


def test_nothing_guards_against_overfitting_and_all_else_is_the_plan_s(result):
    (mixed, _), _ = lessons(result)
    assert mixed.plan.guards == ()
    assert mixed.plan.phases == result.plan.phases


def test_guards_against_overfitting_are_taken_away_and_no_others():
    plan = plan_for("full", facts(700), "model")
    assert plan.guards, "there is something to take away"
    kept = {"name": "wise_ft", "mix": 0.5}
    assert shuffled.unguarded(replace(plan, guards=(*plan.guards, kept))).guards == (kept,)


def facts(rows):
    return Facts(
        "text_classification", "text", rows, 2, rows // 2, rows / 2, 0.5, 0.8,
        ("embeddings", "layer.0", "classifier"), {"layer.0": -0.4}, 30_000, True, True, True, True, False,
    )  # fmt: skip


def test_what_is_told_is_what_the_trials_answered(result):
    known = result.random_labels
    place = Path(result.run, "trials")
    for name, measure in (("shuffled", known.reached), ("true", known.true_labels)):
        with np.load(place / f"random-labels-{name}" / "predictions.npz") as said:
            right = said["train.probs"].argmax(1) == said["train.truth"]
        assert measure.value == pytest.approx(right.mean())
        assert measure.n == known.rows == result.data.train
    assert known.trainings == 2
    assert known.reached.value > 0.8, "a rate this high learns anything by heart"
    assert known.by_heart.value == pytest.approx(
        (known.reached.value - known.guessing) / (1 - known.guessing)
    )


def test_it_is_done_once_and_a_finished_run_holds_it(result):
    before = stamps(Path(result.run))
    assert process.run(result.run, probes=("random-labels",)) == result
    assert stamps(Path(result.run)) == before


def test_in_words_it_says_how_far_it_got_and_what_that_means(result):
    sentences = list(told(result.random_labels))
    assert "where guessing gives" in sentences[0]
    assert sentences[-1].startswith("So it can learn rows by heart")
    none = replace(result.random_labels, by_heart=Measure("", 0.02, -0.1, 0.1, 60))
    assert list(told(none))[-1].startswith("It is not shown to learn rows by heart")


def test_rows_are_bounded_and_each_class_keeps_its_share(result, monkeypatch):
    monkeypatch.setattr(shuffled, "MOST", 20)
    (mixed, _), bundle = lessons(result)
    truth = stops.task_of(bundle).targets(bundle, bundle.train).numpy()
    assert len(mixed.places) == 20
    assert truth[mixed.places].mean() == pytest.approx(truth.mean(), abs=0.06)
    others = np.setdiff1d(np.arange(len(truth)), mixed.places)
    assert (mixed.labels_N[others] == truth[others]).all()
