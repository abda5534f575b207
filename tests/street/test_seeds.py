"""The street with several seeds: what is repeated, what is kept, what is shipped, and how it goes on."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from street_world import same_findings, stamps
from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_json
from warmstart.report.read import read_result

SEEDS = 3
ASKED = {"models": ("zoo:letters",), "strategy": "full", "settings": ("phases.2.epochs=2",), "seed": 4}
FOLDERS = {f"{arm}{end}" for arm in ("full", "frozen", "scratch") for end in ("", "-seed-5", "-seed-6")}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return process.digits(tmp_path_factory.mktemp("digits"), 5, 0)


@pytest.fixture(scope="module")
def result(data, tmp_path_factory):
    """Handwritten digits, a network of the zoo, three seeds; for reading only."""
    with process.one_thread():
        return process.run(data, runs=tmp_path_factory.mktemp("runs"), seeds=SEEDS, **ASKED)


@pytest.fixture
def folder(result, tmp_path) -> Path:
    """A copy of its run folder, to be changed."""
    return Path(shutil.copytree(result.run, tmp_path / "runs" / Path(result.run).name))


def plan_of(folder: Path, name: str) -> dict:
    return read_json(folder / "training" / name / "run.json")["run"]["plan"]


def hits(folder: Path, name: str) -> np.ndarray:
    with np.load(folder / "training" / name / "predictions.npz") as said:
        return said["test.probs"].argmax(1) == said["test.truth"]


def test_every_arm_is_trained_with_every_seed_and_nothing_else_differs(result):
    place = Path(result.run)
    assert {p.name for p in (place / "training").iterdir()} == {*FOLDERS, "baseline"}
    for arm in ("full", "frozen", "scratch"):
        first = plan_of(place, arm)
        for seed in (5, 6):
            assert plan_of(place, f"{arm}-seed-{seed}") == first | {"seed": seed}
    assert result.seeds == SEEDS
    assert [s.seed for s in result.runs["full"].seeds] == [4, 5, 6]


def test_an_arm_shows_the_mean_of_its_seeds_and_their_spread(result):
    place = Path(result.run)
    for arm, run in result.runs.items():
        if run.baseline:  # no network, and so no seed
            assert (run.seeds, run.spread) == ((), {})
            continue
        each = [hits(place, name).mean() for name in (arm, f"{arm}-seed-5", f"{arm}-seed-6")]
        shown = run.metrics["accuracy"]
        assert shown.value == pytest.approx(np.mean(each))
        assert shown.low <= shown.value <= shown.high
        assert shown.n == result.data.test, "rows are not counted once a seed"
        assert run.spread["accuracy"] == pytest.approx(np.std(each, ddof=1))
        assert [s.metrics["accuracy"].value for s in run.seeds] == pytest.approx(each)


def test_gains_are_paired_by_seed(result):
    place = Path(result.run)
    for rival, gain in result.gains.items():
        names = zip(("", "-seed-5", "-seed-6"), gain.by_seed, strict=True)
        for end, one in names:
            ends = {result.recommended: end, rival: "" if result.runs[rival].baseline else end}
            ours, theirs = (hits(place, f"{arm}{end}") for arm, end in ends.items())
            assert one.value == pytest.approx(ours.mean() - theirs.mean())
            assert one.low <= one.value <= one.high
        assert gain.value == pytest.approx(np.mean([one.value for one in gain.by_seed]))
        assert gain.p_holm >= gain.p
        assert 0 <= gain.p_seeds <= 1
        assert 1 / 2**SEEDS <= gain.p_signs <= 1


def test_the_shipped_model_is_that_of_the_recommended_arm_with_the_best_validation_loss(result):
    place, arm = Path(result.run), result.runs[result.recommended]
    assert result.shipped == min(arm.seeds, key=lambda s: s.validation_loss)
    trained = place / "training" / result.shipped.run / "model" / "model.safetensors"
    assert (place / "model" / "model.safetensors").read_bytes() == trained.read_bytes()
    assert result.shipped.metrics["accuracy"].value == pytest.approx(hits(place, result.shipped.run).mean())
    assert sum(map(sum, result.confusion.matrix)) == result.data.test
    right = sum(result.confusion.matrix[i][i] for i in range(10))
    assert right == hits(place, result.shipped.run).sum()


def test_the_headline_and_every_page_say_how_many_seeds(result):
    place = Path(result.run)
    assert "over 3 seeds" in result.headline
    assert f"{result.data.test:,} test rows" in result.headline
    for page in ("report.html", "report.md", "model/README.md"):
        assert "3 seeds" in (place / page).read_text(encoding="utf-8"), page
    assert "--set seeds=3" in result.reproduce.command


def test_a_seed_that_was_broken_off_is_taken_up_again(data, result, tmp_path):
    def stop(event):
        if event["event"] == "look" and event["run"] == "full-seed-5" and event["epoch"] > 0:
            raise KeyboardInterrupt

    with process.one_thread():
        with pytest.raises(KeyboardInterrupt) as raised:
            process.run(data, runs=tmp_path, tell=stop, seeds=SEEDS, **ASKED)
        folder = Path(str(raised.value))
        done = stamps(folder / "training" / "scratch")
        assert not (folder / "training" / "full-seed-5" / "run.json").exists()
        again = process.run(folder)
    assert stamps(folder / "training" / "scratch") == done
    assert same_findings(again, result)


def test_more_seeds_are_added_to_those_that_are_there(folder, result):
    before = stamps(folder / "training")
    with process.one_thread():
        fewer = process.run(folder, seeds=1)
        assert fewer.seeds == 1
        assert fewer.shipped is None
        assert not fewer.runs["full"].seeds
        more = process.prove(folder, seeds=SEEDS)
    assert stamps(folder / "training") == before
    assert same_findings(more, result)
    assert read_json(folder / "run.json")["options"]["seeds"] == SEEDS
    assert process.run(folder) == more, "and then it is done"


def test_a_finished_run_of_seeds_is_not_done_again(folder, result):
    assert process.run(folder) == result


@pytest.mark.parametrize("seeds", [-1, 21, "many"])
def test_a_number_of_seeds_that_cannot_be_is_refused(folder, data, tmp_path, seeds):
    for what in (folder, data):
        with pytest.raises(WarmstartError) as refused:
            process.run(what, runs=tmp_path / "refused", seeds=seeds, models=("zoo:letters",)[: what == data])
        assert refused.value.code == "wrong-value"


def test_a_result_from_before_there_were_seeds_is_still_read(folder):
    path = folder / "result.json"
    table = json.loads(path.read_text())
    for name in ("seeds", "shipped"):
        del table[name]
    for run in table["runs"].values():
        del run["seeds"], run["spread"]
    for gain in table["gains"].values():
        del gain["by_seed"], gain["p_seeds"], gain["p_signs"], gain["p_holm"]
    path.write_text(json.dumps(table))
    assert read_result(path).seeds == 1
