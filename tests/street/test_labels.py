"""The label budget: nested parts, the recipe that fits them, the curve through their scores, refusals."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from street_world import reviews, stamps, text_model, write_csv
from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.base.types import Facts, Plan, Predictions, Run
from warmstart.decide.choose import plan_for
from warmstart.decide.curves.fit import fit
from warmstart.decide.curves.points import Point
from warmstart.report.read import read_result
from warmstart.street import labels
from warmstart.street.folder import Options

SHORT = "phases.2.epochs=5"


def facts(rows, classes=2):
    return Facts(
        "text_classification", "text", rows, classes, rows // classes, rows / classes, 0.5, 0.8,
        ("embeddings", "layer.0", "layer.1", "pooler", "classifier"), {"layer.1": -0.4, "pooler": -0.5},
        30_000, True, True, True, True, False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory):
    """240 reviews of which 160 teach, and 100 test rows of their own."""
    place = tmp_path_factory.mktemp("labels")
    write_csv(place / "rows.csv", reviews(200))
    write_csv(place / "test.csv", reviews(120, seed=1))
    text_model(place / "model")
    return place


def walk(reviewed, runs, **more):
    asked = {"test": str(reviewed / "test.csv"), "models": (str(reviewed / "model"),), "strategy": "full"}
    return process.run(reviewed / "rows.csv", runs=runs, settings=(SHORT,), baseline=False, **asked, **more)


@pytest.fixture(scope="module")
def result(reviewed, tmp_path_factory):
    """For reading only."""
    with process.one_thread():
        return walk(reviewed, tmp_path_factory.mktemp("runs"), probes="labels")


@pytest.mark.parametrize(
    ("rows", "classes", "parts"),
    [
        (800, 2, [100, 200, 400]),
        (800, 10, [100, 200, 400]),
        (600, 10, [150, 300]),  # an eighth has no 10 of each class
        (160, 10, [40, 80]),  # nor has any: the curve says what that is worth
        (60, 20, []),
    ],
)
def test_parts_keep_ten_rows_of_each_class_where_there_are_enough(rows, classes, parts):
    assert labels.sizes(rows, classes) == parts


def test_small_parts_are_learned_from_more_often():
    assert [labels.times_of(n, 801) for n in labels.sizes(801, 2)] == [3, 2, 1]


def test_the_parts_of_a_seed_are_nested_and_other_seeds_learn_from_other_rows():
    truth = np.random.default_rng(0).integers(0, 2, 320)
    plan = plan_for("full", facts(320), "model", seed=3)
    found = [part for part in labels.parts(plan, facts(320), truth) if part.arm == "full"]
    by_seed = {seed: [set(p.places) for p in found if p.plan.seed == seed] for seed in (3, 4, 5)}
    assert [[len(places) for places in by_seed[s]] for s in (3, 4, 5)] == [[40, 80, 160], [40, 80], [40]]
    small, middle, large = by_seed[3]
    assert small < middle < large
    assert small != by_seed[4][0]
    share = truth.mean()
    assert all(abs(truth[p.places].mean() - share) < 0.05 for p in found)


def test_a_part_is_learned_by_the_plan_that_its_rows_give_with_what_was_changed_by_hand():
    every, few = facts(8000), facts(500)
    plan = replace(plan_for("full", every, "model", seed=0), batch=8)
    made = labels.recipe(plan, every, few, 7)
    assert made.phases == plan_for("full", few, "model").phases
    assert made.phases != plan.phases
    assert (made.batch, made.seed) == (8, 7)


def test_scratch_learns_from_the_same_parts_but_a_plan_from_scratch_has_no_rival():
    truth = np.arange(320) % 2
    ours = labels.parts(plan_for("full", facts(320), "model"), facts(320), truth)
    assert {p.arm for p in ours} == {"full", "scratch"}
    assert [tuple(p.places) for p in ours if p.arm == "full"] == [
        tuple(p.places) for p in ours if p.arm == "scratch"
    ]
    assert {p.arm for p in labels.parts(plan_for("scratch", facts(320), "model"), facts(320), truth)} == {
        "scratch"
    }


def answers(folder, *place):
    with np.load(Path(folder).joinpath(*place, "predictions.npz")) as said:
        return said["test.probs"].argmax(1) == said["test.truth"]


def points_of(result, arm):
    trials = sorted(Path(result.run, "trials").glob(f"labels-{arm}-*"))
    found = [
        Point(int(p.name.split("-")[2]), int(answers(p).sum()), 120, int(p.name.split("-")[-1]))
        for p in trials
    ]
    whole = Point(result.data.train, int(answers(result.run, "training", arm).sum()), 120)
    return sorted([*found, whole], key=lambda point: (point.n, point.seed))


def test_what_is_measured_is_what_the_trials_answered_and_the_whole_run_is_the_last(result):
    for arm, grown in (("full", result.labels.plan), ("scratch", result.labels.scratch)):
        told = [(one.rows, one.seed, one.accuracy.value) for one in grown.measured]
        assert told == [(p.n, p.seed, pytest.approx(p.score)) for p in points_of(result, arm)]
        assert told[-1][0] == result.data.train
        assert all(one.accuracy.n == 120 for one in grown.measured)
    assert result.labels.trainings == len(list(Path(result.run, "trials").iterdir()))


def test_the_budget_says_what_the_curve_through_these_points_says(result):
    known = result.labels
    ours, theirs = (fit(points_of(result, arm), classes=2, floor=0.5) for arm in ("full", "scratch"))
    assert known.plan.refused is None, known.plan.refused
    assert known.worth
    for worth in known.worth:
        expected = ours.worth(worth.more)
        assert (worth.gain.value, worth.gain.low, worth.gain.high) == pytest.approx(
            (expected.value, expected.low, expected.high)
        )
    assert known.reached == pytest.approx(ours.at(result.data.train).likely.value)
    assert known.plan.expected[-1].rows == 4 * result.data.train
    if hasattr(theirs, "points") and known.times:
        assert known.times.low == pytest.approx(ours.times(theirs, known.reached).low)


def test_a_finished_run_takes_up_the_probe_without_training_anything_again(reviewed, tmp_path):
    with process.one_thread():
        first = walk(reviewed, tmp_path)
        assert first.labels is None
        before = stamps(Path(first.run, "training"))
        again = process.prove(first.run, probes=("labels",))
    assert stamps(Path(first.run, "training")) == before
    assert again.labels is not None
    assert "--set probes=labels" in again.reproduce.command
    assert process.run(first.run) == again, "and then it is done"
    done = stamps(Path(first.run))
    assert process.prove(first.run, probes=["labels"]) == again
    assert stamps(Path(first.run)) == done


def test_a_probe_that_was_broken_off_goes_on_and_says_the_same(reviewed, result, tmp_path):
    def stop(event):
        if event.get("what", "").startswith("trial labels-scratch"):
            raise KeyboardInterrupt

    with process.one_thread():
        with pytest.raises(KeyboardInterrupt) as raised:
            walk(reviewed, tmp_path, probes=("labels",), tell=stop)
        folder = Path(str(raised.value))
        done = stamps(folder / "trials")
        assert done
        again = process.run(folder)
    assert all(stamps(folder / "trials")[path] == time for path, time in done.items())
    assert replace(again.labels, seconds=0) == replace(result.labels, seconds=0)


def test_what_it_will_take_is_said_first(reviewed, tmp_path):
    told = []
    with process.one_thread():
        walk(reviewed, tmp_path, probes="labels", rows=100, tell=told.append)
    note = next(event for event in told if event.get("probe") == "labels")
    first = next(i for i, event in enumerate(told) if str(event.get("what")).startswith("trial"))
    assert told.index(note) < first
    assert note["seconds"] > 0
    assert note["trainings"] == sum(str(event.get("what")).startswith("trial") for event in told)


def test_too_few_test_rows_are_a_reason_and_no_number(text_copy):
    with process.one_thread():
        known = process.prove(text_copy, probes=("labels",)).labels
    assert known.plan.refused is not None
    assert "held-out rows" in known.plan.refused.rule
    assert (known.worth, known.targets, known.times) == ((), (), None)
    assert known.plan.measured
    page = (text_copy / "report.html").read_text(encoding="utf-8")
    assert "No curve can be drawn" in page
    assert read_result(text_copy / "result.json").labels == known


@pytest.mark.parametrize("where", ["new", "begun"])
def test_a_probe_that_is_none_is_refused_with_those_there_are(reviewed, text_copy, tmp_path, where):
    what = text_copy if where == "begun" else reviewed / "rows.csv"
    with pytest.raises(WarmstartError) as refused:
        process.run(what, runs=tmp_path / "none", probes=("lables",))
    assert (refused.value.code, "labels" in refused.value.do) == ("no-such-probe", True)


def test_probes_on_the_command_line_are_the_options(reviewed):
    from warmstart.cli import frame

    asked = frame.options({}, ["probes=labels,weights"])
    assert process.plainly(asked)["probes"] == ("labels", "weights")
    assert "--set probes=labels,weights" in Options("x.csv", probes=("labels", "weights")).command()


def test_trainings_that_answer_alike_with_every_seed_count_once():
    def run(name, answers):
        said = Predictions(np.arange(3), np.zeros(3, int), np.eye(2)[answers])
        return Run(name, Plan(name, None, "", ()), {"test": said}, 1.0, 1, 1, 1)

    runs = [run("a", [0, 0, 1]), run("b", [0, 0, 1]), run("c", [0, 1, 1])]
    assert [one.name for one in labels.unlike(runs)] == ["a", "c"]


def test_further_labels_come_in_round_numbers():
    assert labels.steps(592) == [200, 500, 1000]
    assert labels.steps(1000) == [500, 1000, 2000]
    assert labels.steps(3) == [1, 2, 5]
