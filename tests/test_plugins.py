"""A new strategy, score or guard is one new file and no other edit: in the folder, or in another package."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.cli.main import main
from warmstart.decide.strategies import STRATEGIES
from warmstart.select.scores import SCORES
from warmstart.tune.guards import GUARDS

SOURCE = Path(__file__).parents[1] / "src" / "warmstart"
FOLDERS = {"strategies": "decide/strategies", "scores": "select/scores", "guards": "tune/guards"}
STRATEGY = '''"""Top two: the head and the two groups below it learn, the rest stays."""

from dataclasses import dataclass
from typing import ClassVar

from warmstart.base.types import Facts, Phase, Reason


@dataclass(frozen=True)
class TopTwo:
    pretrained: ClassVar[bool] = True
    cost: ClassVar[int] = 1

    def suits(self, facts: Facts) -> tuple[float, Reason]:
        return 0.01, Reason("strategy: a plugin's", f"{facts.rows} rows", "only where it is asked for")

    def edits(self, facts: Facts) -> tuple[dict, ...]:
        return ({"name": "new_head"},)

    def phases(self, facts: Facts) -> tuple[Phase, ...]:
        return (Phase(("top:2",), lr=3e-3, epochs=6),)


STRATEGY = TopTwo
'''
SCORE = '''"""Nearest centroid: out-of-fold accuracy of the class whose mean is nearest."""

from dataclasses import dataclass

import numpy as np

from warmstart.select.scores._scoring import Folds, Scoring, of_rows


@dataclass(frozen=True)
class NearestCentroid:
    def score(self, features_ND, labels_N, folds: Folds) -> Scoring:
        hits_N = np.zeros(len(labels_N))
        for train, test in folds.splits():
            classes_C = np.unique(labels_N[train])
            means_CD = np.stack([features_ND[train][labels_N[train] == c].mean(0) for c in classes_C])
            far_NC = ((features_ND[test][:, None] - means_CD) ** 2).sum(-1)
            hits_N[test] += classes_C[far_NC.argmin(1)] == labels_N[test]
        hits_N /= len(folds.tests)
        return of_rows(hits_N, hits_N, folds)


SCORE = NearestCentroid
'''
GUARD = '''"""Short lessons: every phase ends after so many looks at the validation rows."""

from dataclasses import dataclass, field

from warmstart.tune.job import Guard, Job


@dataclass
class ShortLessons(Guard):
    mitigates = "overfitting"
    looks: int = 5
    seen: dict[int, int] = field(default_factory=dict, init=False)

    def watch(self, job: Job, scores: dict[str, float]) -> None:
        self.seen[job.phase] = self.seen.get(job.phase, 0) + 1
        job.stop = job.stop or self.seen[job.phase] >= self.looks


GUARD = ShortLessons
'''
FAULTY = '''"""Faulty: fails when it is needed."""

from dataclasses import dataclass

from warmstart.tune.job import Guard


@dataclass
class Faulty(Guard):
    mitigates = "overfitting"

    def watch(self, job, scores) -> None:
        raise ZeroDivisionError("in a guard of another package")


GUARD = Faulty
'''
PARTS = {
    "strategies": ("top_two", STRATEGY),
    "scores": ("nearest_centroid", SCORE),
    "guards": ("short_lessons", GUARD),
}
USED = ["--strategy", "top_two", "--set", "score=nearest_centroid"]
USED += ["--set", "guards=[{name: short_lessons, looks: 3}]", "--rows", "40"]


def words(world: Path, out: Path) -> list[str]:
    model = str(world / "text-model")
    return ["run", str(world / "reviews.csv"), "--from", model, *USED, "--out", str(out), "--json"]


def check_used(table: dict) -> None:
    """The parts decided, ranked and guarded, the rivals' trainings too."""
    assert table["plan"]["strategy"] == "top_two"
    assert table["plan"]["guards"] == [{"name": "short_lessons", "looks": 3}]
    assert table["score"] == "nearest_centroid"
    assert 0 <= table["ranking"][0]["score"] <= 1
    assert set(table["runs"]) == {"top_two", "frozen", "scratch", "baseline"}
    looks = [line["epoch"] for line in table["runs"]["top_two"]["history"] if line["phase"] == 1]
    assert looks in ([1, 2], [1, 2, 3])
    assert len(table["runs"]["scratch"]["history"]) <= 4
    assert 0 < table["runs"]["top_two"]["trained_parameters"] < table["runs"]["scratch"]["trained_parameters"]


@pytest.fixture
def installed(tmp_path, monkeypatch) -> Path:
    """A package with three parts, as pip would install it: modules, and a dist-info with entry points."""
    place = tmp_path / "site"
    info = place / "my_parts-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-parts\nVersion: 1.0\n")
    lines = []
    for family, (name, text) in PARTS.items():
        (place / f"my_{name}.py").write_text(text)
        lines += [f"[warmstart.{family}]", f"{name} = my_{name}"]
    (place / "my_faulty.py").write_text(FAULTY)
    lines += ["broken = my_package.that_is_not_there", "faulty = my_faulty"]  # under the last family, guards
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(place))
    forget()
    yield place
    forget()
    for name in ("faulty", *(name for name, _ in PARTS.values())):
        sys.modules.pop(f"my_{name}", None)


def forget() -> None:
    """A family looks for its parts once a process."""
    for family in (STRATEGIES, SCORES, GUARDS):
        family.__dict__.pop("modules", None)


def test_parts_of_another_package_are_listed_and_used(installed, world, tmp_path, capsys):
    for family, (name, text) in PARTS.items():
        assert main(["list", family, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)[name] == text.split('"""')[1]
        assert main(["explain", name]) == 0
        assert name in capsys.readouterr().out
    assert main(words(world, tmp_path)) == 0
    check_used(json.loads(capsys.readouterr().out))


def test_a_plan_file_can_name_them(installed, world, tmp_path):
    models = (str(world / "text-model"),)
    _, folder = process.plan(world / "reviews.csv", runs=tmp_path, models=models, rows=40, strategy="full")
    path = folder / "plan.yaml"
    text = path.read_text().replace(
        "{name: early_stop, patience: 5, sure: 2.0}", "{name: short_lessons, looks: 2}"
    )
    path.write_text(text)
    run = process.tune(folder)
    assert run.plan.guards == ({"name": "short_lessons", "looks": 2},)
    assert max(line["epoch"] for line in run.history) <= 2


def test_a_strategy_of_another_package_is_considered(installed, world, tmp_path):
    models = (str(world / "text-model"),)
    plan, _ = process.plan(world / "reviews.csv", runs=tmp_path, models=models, rows=40)
    assert plan.strategy != "top_two"
    text = next(tmp_path.glob("*/plan.yaml")).read_text()
    assert "0.01 top_two: only where it is asked for" in text


def test_a_broken_package_is_named_only_where_its_part_is_asked_for(installed, world, tmp_path, capsys):
    assert main(["list", "guards"]) == 0
    assert "broken" in capsys.readouterr().out
    with pytest.raises(WarmstartError, match="my_package") as refused:
        GUARDS.build({"name": "broken"})
    assert refused.value.code == "broken-guard"


def test_a_fault_in_a_part_leaves_a_report_and_a_folder_to_go_on_with(installed, world, tmp_path, capsys):
    command = words(world, tmp_path)
    command[command.index(USED[5])] = "guards=[{name: faulty}]"
    assert main(command) == 70
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "our-fault"
    report = Path(error["do"].split()[-1])
    assert "my_faulty.py" in report.read_text()
    report.unlink()
    assert (tmp_path / "reviews-1" / "plan.yaml").exists()


def test_settings_of_a_part_of_another_package_are_checked(installed):
    assert GUARDS.build({"name": "short_lessons", "looks": "3"}).looks == 3
    with pytest.raises(WarmstartError, match="no setting 'look'"):
        GUARDS.build({"name": "short_lessons", "look": 3})


def test_a_part_of_another_package_cannot_take_the_place_of_one_of_ours(installed):
    info = installed / "my_parts-1.0.dist-info" / "entry_points.txt"
    info.write_text("[warmstart.guards]\nearly_stop = my_short_lessons\n")
    forget()
    assert GUARDS.modules["early_stop"] == "warmstart.tune.guards.early_stop"


def test_one_file_in_the_folder_is_enough(world, tmp_path):
    """In a copy of the package, into which a file each was dropped."""
    copy = tmp_path / "src" / "warmstart"
    shutil.copytree(SOURCE, copy)
    for family, (name, text) in PARTS.items():
        (copy / FOLDERS[family] / f"{name}.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(copy.parent)}
    code = f"import warmstart.cli.main as m; assert m.__file__.startswith({str(copy)!r}); exit(m.main())"
    command = [sys.executable, "-c", code, *words(world, tmp_path / "runs")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    check_used(json.loads(done.stdout))
