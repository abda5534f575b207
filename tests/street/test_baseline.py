"""The arm without a network in the whole street: same rows, kept, told, named, or left out."""

import json
import shutil
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from street_world import reviews, same_findings, stamps, write_csv
from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_json
from warmstart.floors.bag_of_words import BagOfWords
from warmstart.floors.colours_and_edges import ColoursAndEdges
from warmstart.report.read import read_result
from warmstart.street.folder import Options
from warmstart.street.training import sample

PLAIN = {"text_run": BagOfWords.plain, "image_run": ColoursAndEdges.plain}
SMALL = {"strategy": "frozen", "rows": 60}


@pytest.fixture(params=PLAIN)
def walk(request):
    return request.getfixturevalue(request.param)


def plain(walk):
    return PLAIN["text_run" if "text" in walk.result.data.roles else "image_run"]


def said(folder, name):
    with np.load(Path(folder) / "training" / name / "predictions.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def test_it_answers_the_rows_of_the_others_in_their_order(walk):
    ours, theirs = said(walk.folder, "baseline"), said(walk.folder, "scratch")
    for split in ("train", "validation", "test"):
        assert (ours[f"{split}.rows"] == theirs[f"{split}.rows"]).all()
        assert (ours[f"{split}.truth"] == theirs[f"{split}.truth"]).all()
        assert ours[f"{split}.probs"].shape == theirs[f"{split}.probs"].shape
        assert ours[f"{split}.probs"].sum(1) == pytest.approx(1)


def test_it_finds_what_decides_in_these_worlds(walk):
    assert walk.result.runs["baseline"].metrics["accuracy"].value > 0.6


def test_it_leaves_no_model_and_is_not_recommended(walk):
    assert sorted(p.name for p in (walk.folder / "training" / "baseline").iterdir()) == [
        "predictions.npz",
        "run.json",
    ]
    assert walk.result.recommended != "baseline"


def test_it_is_a_rival_with_a_gain_a_price_and_a_name(walk):
    run = walk.result.runs["baseline"]
    assert run.baseline == plain(walk)
    assert run.trained_parameters == run.parameters > 0
    assert (run.steps, run.history) == (0, ())
    assert walk.result.gains["baseline"].n == walk.result.data.test
    assert walk.result.proofs["converged (baseline)"] is True
    assert walk.result.proofs["penalty (baseline)"] == walk.result.baseline.penalty


def test_the_headline_names_it_with_its_accuracy(walk):
    value = walk.result.runs["baseline"].metrics["accuracy"].value
    assert f"{plain(walk)} answers {100 * value:.1f} %" in walk.result.headline


def test_ranking_and_result_hold_it_out_of_fold(walk):
    kept = read_json(walk.folder / "ranking.json")["ranking"]["baseline"]
    found = walk.result.baseline
    assert kept["accuracy"]["value"] == found.accuracy.value
    assert found.accuracy.n == walk.result.data.train
    assert found.lead.low <= found.lead.value <= found.lead.high
    assert read_result(walk.folder / "result.json").baseline == found


def test_it_is_told_when_it_is_measured_and_when_it_learns(walk):
    told = [e["what"] for e in walk.told if e["event"] == "stop" and plain(walk) in e["what"]]
    assert told == [f"beside them {plain(walk)}", f"baseline: {plain(walk)}"]


def test_every_page_names_it(walk):
    from rich.console import Console

    from warmstart.report.terminal import summary

    console = Console(width=200, file=StringIO())
    console.print(summary(walk.result))
    pages = [
        (walk.folder / n).read_text() for n in ("report.html", "report.md", "model/README.md", "result.json")
    ]
    for page in (*pages, console.file.getvalue()):
        assert plain(walk) in page.replace("\\", "")
        assert "baseline" in page


def test_it_is_kept(text_copy, text_run):
    (text_copy / "result.json").unlink()
    before = stamps(text_copy / "training")
    assert same_findings(process.run(text_copy), text_run.result)
    assert stamps(text_copy / "training") == before


@pytest.mark.parametrize("damage", ["run.json", "predictions.npz"])
def test_damaged_it_is_made_again_and_is_the_same(damage, text_copy, text_run):
    (text_copy / "result.json").unlink()
    (text_copy / "training" / "baseline" / damage).write_text("{")
    assert same_findings(process.run(text_copy), text_run.result)


def test_a_folder_of_before_goes_on_without_one(text_copy):
    """Its ranking knows of none."""
    (text_copy / "result.json").unlink()
    shutil.rmtree(text_copy / "training" / "baseline")
    ranking = read_json(text_copy / "ranking.json")
    del ranking["ranking"]["baseline"]
    (text_copy / "ranking.json").write_text(json.dumps(ranking))
    result = process.run(text_copy)
    assert "baseline" not in result.runs
    assert result.baseline is None
    assert not [f for f in result.findings if f.check == "baseline"]


def test_it_can_be_left_out_and_the_command_says_so(world, tmp_path):
    asked = {"models": (str(world / "text-model"),), "baseline": "false", **SMALL}
    result = process.run(world / "reviews.csv", runs=tmp_path, **asked)
    assert "baseline" not in result.runs
    assert result.baseline is None
    assert "--set baseline=False" in result.reproduce.command
    assert "bag of words" not in result.headline
    assert "baseline" not in Options("x").command()


def test_too_few_rows_leave_a_finding(world, tmp_path):
    classes = ("bad", "good", "mixed")
    rows = [(f"{text} {n}", label) for n, (text, label) in enumerate(reviews(9, 0, classes))]
    data = {}
    for name, some in {"train": rows[:3], "validation": rows[3:6], "test": rows[6:]}.items():
        data[name] = write_csv(tmp_path / f"{name}.csv", some)
    given = {"validation": data["validation"], "test": data["test"], "models": (str(world / "text-model"),)}
    try:
        result = process.run(data["train"], runs=tmp_path / "runs", strategy="frozen", **given)
    except WarmstartError as error:
        pytest.skip(f"the street refuses so few rows: {error.wrong}")
    assert "baseline" not in result.runs
    (finding,) = [f for f in result.findings if f.check == "baseline"]
    assert "too few rows" in finding.what and finding.do


def test_a_picture_that_breaks_leaves_a_finding_and_the_rest(world, image_copy):
    """Its pixels are cached for the networks, so the trained runs stand as they are."""
    from warmstart.street import baseline, deciding, stops
    from warmstart.street.folder import reopen

    trip = reopen(image_copy)
    bundle = stops.read(trip)
    ranking, _ = stops.select(trip, bundle)
    torn = image_copy / "torn.png"
    torn.write_bytes(b"no picture")
    task = Torn(stops.task_of(bundle), str(torn))
    shutil.rmtree(image_copy / "training" / "baseline")
    found, findings = baseline.baseline_run(trip, task, task.spoilt(bundle), ranking, 0)
    assert found == {}
    assert [f.check for f in findings] == ["baseline"]
    assert "torn.png" in findings[0].what
    assert not (image_copy / "training" / "baseline").exists()
    assert deciding.look(trip, bundle, ranking).baseline == ranking.baseline.accuracy.value


class Torn:
    """A task on a bundle of which one test picture is none."""

    def __init__(self, task, path):
        self.task, self.path = task, path
        self.roles, self.baseline, self.targets = task.roles, task.baseline, task.targets

    def spoilt(self, bundle):
        from dataclasses import replace

        import pyarrow as pa

        from warmstart.base.rows import Rows

        column = bundle.roles["image"]
        values = bundle.rows.column(column)
        values[bundle.test[0]] = self.path
        place = bundle.rows.table.column_names.index(column)
        kind = bundle.rows.table.column(column).type
        table = bundle.rows.table.set_column(place, column, pa.array(values, kind))
        return replace(bundle, rows=Rows.write(table, Path(self.path).with_suffix(".arrow")))


def test_test_rows_teach_it_nothing(world, text_run, tmp_path):
    """Other words in a test row change no answer but its own."""
    from dataclasses import replace

    from warmstart.street import baseline, stops
    from warmstart.street.folder import reopen

    trip = reopen(text_run.folder)
    bundle = stops.read(trip)
    ranking, _ = stops.select(trip, bundle)
    task = stops.task_of(bundle)
    plan = baseline.plan_of(ranking.baseline, bundle, 0)
    before = baseline.learned(ranking.baseline, plan, task, bundle)
    import pyarrow as pa

    from warmstart.base.rows import Rows

    column = bundle.roles["text"]
    values = bundle.rows.column(column)
    for number in (*bundle.test[:3], *bundle.validation[:3]):
        values[number] = "words " * 50 + values[bundle.train[0]]
    table = bundle.rows.table
    place = table.column_names.index(column)
    other = table.set_column(place, column, pa.array(values, table.column(column).type))
    changed = replace(bundle, rows=Rows.write(other, tmp_path / "rows.arrow"))
    after = baseline.learned(ranking.baseline, plan, task, changed)
    for split, spared in (("train", 0), ("validation", 3), ("test", 3)):
        one, two = (r.predictions[split].probabilities[spared:] for r in (before, after))
        assert one == pytest.approx(two, abs=1e-6), split


def test_of_many_training_rows_a_sample_is_asked_about():
    assert len(sample("train", 5000, 0)) == 1000
    assert (np.diff(sample("train", 5000, 0)) > 0).all()
    assert (sample("train", 5000, 0) == sample("train", 5000, 0)).all()
    assert len(sample("test", 5000, 0)) == 5000
