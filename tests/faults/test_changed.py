"""A run whose plan was changed after its training had begun: refused with what changed, or gone on with."""

import shutil
from pathlib import Path

import pytest

from warmstart import process
from warmstart.cli.main import main


@pytest.fixture(scope="module")
def stopped(world, tmp_path_factory) -> Path:
    """A run that its user stopped in the middle of the plan's training."""
    runs = tmp_path_factory.mktemp("runs")

    def stop(event):
        if event["event"] == "look" and event["run"] == "full" and event["epoch"] > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        asked = {"models": (str(world / "text-model"),), "strategy": "full"}
        process.run(world / "reviews.csv", runs=runs, tell=stop, **asked)
    return Path(str(raised.value))


@pytest.fixture
def edited(stopped, tmp_path) -> Path:
    """The same with another rate in its plan."""
    folder = Path(shutil.copytree(stopped, tmp_path / stopped.name))
    plan = folder / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.strip().startswith("clip:"))
    plan.write_text(text.replace(line, line.split(":")[0] + ": 0.5"), encoding="utf-8")
    return folder


def test_it_is_refused_with_both_values_and_can_be_put_back(stopped, edited, capsys):
    assert main(["run", str(edited)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"{edited}/training/full: this training was begun otherwise than it is asked for now" in said
    assert "clip: 1.0 -> 0.5" in said
    assert "--allow-change" in said
    shutil.copy(stopped / "plan.yaml", edited / "plan.yaml")
    assert process.tune(edited).history[-1]["phase"] >= 1


@pytest.mark.parametrize("verb", ["tune", "run"])
def test_on_request_it_goes_on_and_the_record_says_from_where(edited, verb, capsys):
    assert main([verb, str(edited), "--allow-change"]) == 0
    assert "gone on from the weights after" in capsys.readouterr().err
    if verb != "tune":
        proofs = process.run(edited).proofs
        (told,) = (value for name, value in proofs.items() if name.startswith("plan_changed"))
        assert told.endswith("steps: clip: 1.0 -> 0.5")
