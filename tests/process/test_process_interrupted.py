"""A run that is stopped, killed or shared goes on where it was, or says why it cannot."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from street_world import same_findings
from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.base.events import EventLog, read_events
from warmstart.base.files import read_json, write_json
from warmstart.base.lines import to_line
from warmstart.street.folder import locked, reopen
from warmstart.street.summary import elapsed

HOLD = """
import sys
from pathlib import Path
from warmstart.street.folder import locked, reopen
with locked(reopen(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_training_that_is_stopped_goes_on_where_it_was(world, text_run, tmp_path):
    """Stopped in the middle of the plan's training, and then again in that of a rival."""
    chosen = text_run.result.plan.strategy
    folder = stopped_at(world, tmp_path, chosen, epoch=2)
    assert not (folder / "training" / chosen / "run.json").exists()
    assert list((folder / "training" / chosen / "checkpoints").iterdir())
    told = []
    result = process.run(folder, tell=told.append)
    resumed = [event for event in told if event["event"] == "resumed"]
    assert [(event["run"], event["steps"] > 0) for event in resumed] == [(chosen, True)]
    assert same_findings(result, text_run.result)


def stopped_at(world: Path, runs: Path, run: str, epoch: int) -> Path:
    """The folder of a run that its user stopped (Ctrl-C) once this training had finished this epoch."""

    def stop(event):
        if event["event"] == "look" and event["run"] == run and event["epoch"] > epoch:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        process.run(
            world / "reviews.csv", runs=runs, models=(str(world / "text-model"),), strategy="full", tell=stop
        )
    folder = Path(str(raised.value))
    assert folder.parent == runs, "the interruption names the folder to go on with"
    return folder


def test_a_run_that_is_killed_goes_on(world, image_run, tmp_path):
    """SIGKILL leaves no time to tidy up. What was whole is kept, the rest is made anew."""
    words = ["run", str(world / "shapes"), "--from", str(world / "image-model"), "--out", str(tmp_path)]
    folder = tmp_path / "shapes-1"
    with subprocess.Popen([sys.executable, "-m", "warmstart", *words], stderr=subprocess.PIPE) as work:
        wait_for(lambda: any(e.get("stop") == "tune" for e in read_events(folder / "events.jsonl")), work)
        work.send_signal(signal.SIGKILL)
    assert work.returncode == -signal.SIGKILL
    assert not (folder / "result.json").exists()
    ranked = (folder / "ranking.json").stat().st_mtime_ns
    assert same_findings(process.run(folder), image_run.result)
    assert (folder / "ranking.json").stat().st_mtime_ns == ranked


def wait_for(happened, work) -> None:
    deadline = time.monotonic() + 120
    while not happened():
        assert work.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_processes_cannot_share_a_run_folder(text_copy, text_run):
    words = [sys.executable, "-c", HOLD, str(text_copy)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(WarmstartError, match=f"process {other.pid} on ") as refused:
            process.run(text_copy)
        assert (refused.value.code, refused.value.exit_code) == ("locked", 5)
        other.stdin.close()
    assert process.run(text_copy) == text_run.result


def test_a_lock_that_a_killed_process_left_does_not_bar_the_way(text_copy):
    words = [sys.executable, "-c", HOLD, str(text_copy)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        other.stdout.readline()
        other.kill()
    assert (text_copy / ".lock").exists()
    with locked(reopen(text_copy)):
        pass


def test_two_runs_that_start_together_get_two_folders(world, tmp_path):
    from warmstart.street.folder import Options, begin

    folders = [begin(Options(str(world / "reviews.csv")), tmp_path).folder.name for _ in range(3)]
    assert folders == ["reviews-1", "reviews-2", "reviews-3"]


def test_a_run_that_fails_before_its_plan_leaves_no_folder(world, tmp_path):
    with pytest.raises(WarmstartError):
        process.run(
            world / "reviews.csv", runs=tmp_path / "runs", models=(str(world / "text-model"),), text="mood"
        )
    assert not (tmp_path / "runs").exists()


def test_the_seconds_of_a_run_are_those_that_were_worked(text_copy):
    """Not the night between an interruption and going on."""
    log = text_copy / "events.jsonl"
    night, now = 8 * 3600, time.time()
    lines = [
        ("sitting", now - night - 10),
        ("look", now - night - 4),
        ("sitting", now - 2),
        ("stop", now - 1),
    ]
    log.write_bytes(b"".join(to_line({"time": when, "event": name}) + b"\n" for name, when in lines))
    assert elapsed(reopen(text_copy)) == pytest.approx(8, abs=0.5)


@pytest.mark.parametrize("torn", [b'{"time": 1, "ev', b'{"time": 1, "event": "\xc3', b"\x00\xff\xfe", b"3"])
def test_a_torn_event_is_left_out(torn, tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    for what in ("one", "two\u2028lines", os.fsdecode(b"caf\xe9.csv")):
        log({"event": what})
    with log.path.open("ab") as file:
        file.write(torn)
    assert [event["event"] for event in read_events(log.path)] == ["one", "two\u2028lines", "caf\udce9.csv"]


def test_a_name_that_is_no_utf8_is_kept_as_it_is(tmp_path):
    value = {"data": os.fsdecode(b"caf\xe9.csv"), "label": "caf\u00e9"}
    write_json(tmp_path / "run.json", value)
    assert read_json(tmp_path / "run.json") == value
    write_json(tmp_path / "plain.json", {"label": "caf\u00e9"})
    assert "caf\u00e9" in (tmp_path / "plain.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["ranking.json", "data.json", "run.json"])
def test_a_damaged_artefact_is_named(name, text_copy):
    (text_copy / "result.json").unlink()
    whole = (text_copy / name).read_text()
    (text_copy / name).write_text(whole[: len(whole) // 2])
    with pytest.raises(WarmstartError) as refused:
        process.run(text_copy)
    assert refused.value.code in ("bad-run", "broken-bundle")
    assert refused.value.do
    shutil.rmtree(text_copy)
