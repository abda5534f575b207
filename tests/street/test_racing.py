"""The race on the street: who is tried and when, what is kept, how it goes on, what the report says of it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import street_world
from warmstart import process
from warmstart.base.files import read_json, write_json
from warmstart.base.tables import checked
from warmstart.base.types import Ranking
from warmstart.cli.main import main

QUICK = {"strategy": "full"}


@pytest.fixture(scope="module")
def models(world):
    return (str(world / "text-model"), str(world / "text-model-2"))


@pytest.fixture(scope="module")
def raced(world, models, tmp_path_factory):
    """A run folder in which two models that nobody can tell apart have raced; for reading only."""
    told = []
    runs = tmp_path_factory.mktemp("raced")
    plan, folder = process.plan(world / "reviews.csv", runs=runs, models=models, tell=told.append, **QUICK)
    return plan, folder, told


def ranking_of(folder) -> Ranking:
    return checked(Ranking, read_json(Path(folder) / "ranking.json")["ranking"], "ranking.json")


def race_of(folder):
    return ranking_of(folder).race


def timeless(race):
    entrants = (
        replace(one, price=0.0, laps=tuple(replace(lap, seconds=0.0) for lap in one.laps))
        for one in race.entrants
    )
    return replace(race, seconds=0.0, entrants=tuple(entrants))


def price(seconds):
    return {"seconds": seconds, "work": 1000 * seconds}


def so(race):
    return [reason.so for reason in race.reasons]


def test_the_plan_starts_from_the_winner_and_the_trials_lie_in_the_folder(raced, models):
    plan, folder, told = raced
    race = race_of(folder)
    assert {one.source for one in race.entrants} == set(models)
    assert plan.model == race.order[0] == ranking_of(folder).best.candidate.source
    laps = [lap.rows for lap in race.entrants[0].laps]
    assert laps and laps == sorted(laps)
    trials = sorted(path.name for path in (folder / "trials").iterdir() if path.is_dir())
    assert len(trials) == sum(len(one.laps) for one in race.entrants)
    assert not list((folder / "trials").glob("*/model"))
    notes = [event["what"] for event in told if event["event"] == "note"]
    assert any(note.startswith("2 candidates race: about ") for note in notes)
    assert all(one.price > 0 for one in race.entrants)


def test_judging_rows_taught_no_trial_and_no_validation_or_test_row_judges(raced):
    import numpy as np

    from warmstart.data.bundle import load_bundle

    _, folder, _ = raced
    bundle = load_bundle(folder)
    for trial in (folder / "trials").glob("race-*"):
        with np.load(trial / "predictions.npz") as said:
            assert set(said["judged.rows"]) <= set(bundle.train)
        rows = read_json(trial / "run.json")["run"]["proofs"]["rows"]
        assert rows + len(race_judges(trial)) <= len(bundle.train)


def race_judges(trial):
    import numpy as np

    with np.load(trial / "predictions.npz") as said:
        return said["judged.rows"].tolist()


def test_short_trainings_take_a_tenth_and_a_quarter_of_the_epochs_times_rows(raced):
    plan, folder, _ = raced
    whole = sum(p.epochs for p in plan.phases if p.solver == "adamw")
    for trial in (folder / "trials").glob("race-*"):
        run = read_json(trial / "run.json")["run"]
        epochs = sum(p["epochs"] for p in run["plan"]["phases"] if p["solver"] == "adamw")
        share = {"1": 0.4, "2": 0.5}[trial.name.split("-")[1]]
        assert epochs == round(share * whole)


def test_the_same_again_gives_the_same_race(raced, world, models, tmp_path):
    _, folder, _ = raced
    _, other = process.plan(world / "reviews.csv", runs=tmp_path, models=models, **QUICK)
    assert timeless(race_of(other)) == timeless(race_of(folder))


@pytest.mark.parametrize("after", ["race-1-2", "race-2-1"])
def test_a_race_that_was_stopped_goes_on_with_the_next_trial(raced, world, models, tmp_path, after):
    def stop(event):
        if after in str(event.get("what", "")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.plan(world / "reviews.csv", runs=tmp_path, models=models, tell=stop, **QUICK)
    (folder,) = tmp_path.glob("reviews-*")
    assert race_of(folder) is None
    done = {path: path.stat().st_mtime_ns for path in (folder / "trials").glob("*/run.json")}
    prices = read_json(folder / "trials" / "prices.json")
    assert done
    process.plan(folder)
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert {one.source: one.price for one in race_of(folder).entrants} == {
        source: price["seconds"] for source, price in prices.items()
    }
    assert timeless(race_of(folder)) == timeless(race_of(raced[1]))


def test_a_plan_that_is_there_settles_it(raced, tmp_path):
    folder = Path(shutil.copytree(raced[1], tmp_path / "runs" / "reviews-1"))
    table = read_json(folder / "ranking.json")
    del table["ranking"]["race"]
    write_json(folder / "ranking.json", table)
    shutil.rmtree(folder / "trials")
    process.plan(folder)
    assert race_of(folder) is None and not (folder / "trials").exists()


def test_nobody_races_where_that_is_not_wanted(world, models, tmp_path, capsys):
    words = [
        str(world / "reviews.csv"),
        "--from",
        models[0],
        "--from",
        models[1],
        "--out",
        str(tmp_path),
        "--json",
    ]
    assert main(["plan", *words, "--race", "0"]) == 0
    folder = Path(json.loads(capsys.readouterr().out)["run"])
    assert read_json(folder / "run.json")["options"]["race"] == 0
    assert race_of(folder) is None
    assert main(["rank", *words]) == 0
    assert json.loads(capsys.readouterr().out)["race"] is None
    assert not list(tmp_path.glob("*/trials"))


def test_rank_races_when_it_is_asked_to_and_shows_it(raced, world, models, tmp_path, capsys):
    words = [str(world / "reviews.csv"), "--from", models[0], "--from", models[1], "--set", "strategy=full"]
    assert main(["rank", *words, "--race", "3", "--out", str(tmp_path)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "The race: short trainings" in told and "log-loss behind" in told
    (folder,) = tmp_path.glob("reviews-*")
    assert timeless(race_of(folder)) == timeless(race_of(raced[1]))
    assert main(["rank", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["race"]["order"]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"strategy": "frozen"}, "what the features are worth is what the scores measure"),
        ({"strategy": "scratch"}, "what the features are worth is what the scores measure"),
        ({"rows": 40}, "the order is that of the scores"),
    ],
)
def test_where_a_race_could_show_nothing_there_is_none_and_it_is_said(world, models, tmp_path, asked, why):
    _, folder = process.plan(world / "reviews.csv", runs=tmp_path, models=models, **asked)
    race = race_of(folder)
    assert not race.entrants and race.winner is None
    assert so(race)[-1] == f"no race: {why}"
    assert not (folder / "trials").exists()


def test_a_candidate_that_cannot_be_trained_costs_a_line(world, models, tmp_path):
    own = [str(shutil.copytree(model, tmp_path / Path(model).name)) for model in models]
    ranking = process.rank(world / "reviews.csv", runs=tmp_path / "runs", models=own)
    (folder,) = (tmp_path / "runs").glob("reviews-*")
    first, second = (one.candidate.source for one in ranking.scored)
    (Path(first) / "model.safetensors").unlink()
    plan, _ = process.plan(folder)
    assert plan.model == second
    race = race_of(folder)
    assert race.order == (second, first)
    assert [one.failed for one in race.entrants] == [True, False]
    warnings = [f for f in read_json(folder / "ranking.json")["findings"] if f["check"] == "candidates"]
    assert len(warnings) == 1 and "no model.safetensors" in warnings[0]["what"]


def test_one_whose_first_lap_alone_would_be_more_work_than_the_tuning_of_the_first_is_not_tried(
    world, models, tmp_path
):
    ranking = process.rank(world / "reviews.csv", runs=tmp_path, models=models)
    (folder,) = tmp_path.glob("reviews-*")
    first, second = (one.candidate.source for one in ranking.scored)
    (folder / "trials").mkdir()
    write_json(folder / "trials" / "prices.json", {first: price(2.0), second: price(21.0)})
    process.plan(folder)
    race = race_of(folder)
    assert not race.entrants
    (reason,) = (r for r in race.reasons if r.rule == "race: cost")
    assert "10 times the work" in reason.saw and "is not tried" in reason.so


def test_a_budget_bounds_the_race(world, models, tmp_path):
    ranking = process.rank(world / "reviews.csv", runs=tmp_path, models=models, budget="100s")
    (folder,) = tmp_path.glob("reviews-*")
    first, second = (one.candidate.source for one in ranking.scored)
    (folder / "trials").mkdir()
    write_json(folder / "trials" / "prices.json", {first: price(30.0), second: price(30.0)})
    process.plan(folder)
    (reason,) = (r for r in race_of(folder).reasons if r.rule == "race: budget")
    assert "all would take 21 s" in reason.saw
    assert reason.so.startswith("not tried: ")


def test_groups_stay_together_and_are_what_counts(world, models, tmp_path):
    rows = [(text, label, f"author-{n // 2}") for n, (text, label) in enumerate(street_world.reviews(140))]
    data = street_world.write_csv(tmp_path / "rows.csv", rows, ("review", "mood", "author"))
    _, folder = process.plan(data, runs=tmp_path / "runs", models=models, group="author", **QUICK)
    race = race_of(folder)
    assert race.winner is not None
    authors = {}
    trial = next((folder / "trials").glob("race-1-*"))
    from warmstart.data.bundle import load_bundle

    bundle = load_bundle(folder)
    for number in bundle.train:
        authors.setdefault(str(bundle.rows.column("author")[number]), set()).add(number)
    judged = set(race_judges(trial))
    assert all(members <= judged or not members & judged for members in authors.values())


# After the tuning


@pytest.fixture(scope="module")
def proved(raced, tmp_path_factory):
    """The whole street from there, the runner-up tuned too."""
    folder = Path(shutil.copytree(raced[1], tmp_path_factory.mktemp("proved") / "reviews-1"))
    table = read_json(folder / "run.json")
    table["options"] |= {"check_race": True, "settings": ["phases.2.epochs=2"]}
    write_json(folder / "run.json", table)
    (folder / "plan.yaml").unlink()
    return process.run(folder)


def test_the_runner_up_is_a_rival_that_is_never_recommended(proved, models):
    loser = next(model for model in models if model != proved.plan.model)
    assert proved.runs["runner-up"].start == loser
    assert not proved.runs["full"].start
    assert proved.recommended != "runner-up" and "runner-up" in proved.gains
    assert "runner-up" not in proved.why.saw
    assert proved.race.order[1] == loser
    last = proved.race.reasons[-1]
    assert last.rule == "race: the runner-up"
    assert "on 20 test rows" in last.saw
    assert f"--from {loser}" in last.so or "cannot tell" in last.so or "had been right" in last.so


def test_the_runner_up_learns_as_the_plan_does(proved):
    folder = Path(proved.run) / "training"
    mine, theirs = (read_json(folder / name / "run.json")["run"]["plan"] for name in ("full", "runner-up"))
    for name in ("strategy", "batch", "guards", "seed"):
        assert mine[name] == theirs[name]
    assert [p["epochs"] for p in mine["phases"]] == [p["epochs"] for p in theirs["phases"]]


def test_the_report_shows_the_race_in_all_its_forms(proved):
    page = (Path(proved.run) / "report.html").read_text()
    assert "<h3>The race</h3>" in page and "whole tuning, expected" in page
    result = json.loads((Path(proved.run) / "result.json").read_text())
    assert result["race"]["order"] == list(proved.race.order)
    assert "--set check_race=True" in proved.reproduce.command


def test_unasked_the_report_says_how_to_know(raced, tmp_path):
    folder = Path(shutil.copytree(raced[1], tmp_path / "reviews-1"))
    result = process.run(folder)
    assert "runner-up" not in result.runs
    assert result.race.reasons[-1].so.endswith("--set check_race=true tells")
    assert ranking_of(folder).race.reasons[-1].rule == "race: the ranking in hindsight"
