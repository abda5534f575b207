"""What happens to one of several processes happens to all: they end together, and say why."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from children import answer_of, ended
from crews import model_of, splits_of, start, together, train
from torch.optim.optimizer import register_optimizer_step_post_hook

import tune_worlds as worlds
from warmstart.base.errors import WarmstartError
from warmstart.street.hands import Hands
from warmstart.tune import checkpoint
from warmstart.tune.loop import Keeping
from warmstart.tune.step import add_gradients

PLAN = worlds.plan(worlds.phase(lr=1e-5, epochs=3, schedule="constant", warmup=0.0), batch=8)
STEP = 5  # of nine


def keeping(folder):
    return Keeping(checkpoints=folder, save_seconds=0.0)


def after(steps, act):
    """Call `act` after so many steps of any optimiser of this process."""
    left = [None] * steps

    def count(*unused):
        if left and (left.pop() or not left):
            act()

    register_optimizer_step_post_hook(count)


def broken_by(act, folder, sharded=False):
    """Exit codes of two trainings, of which the second does `act` after a few steps, and the seconds."""

    def work(crew):
        if not crew.first:
            after(STEP, act)
        train("bert", PLAN, crew, keeping(folder))

    began = time.monotonic()
    return [ended(child) for child in start(work, 2, sharded)], time.monotonic() - began


def in_one_go(crew=None):
    return worlds.without_key_biases(worlds.state(train("bert", PLAN)[0]))


@pytest.mark.parametrize(("before", "size", "now"), [(False, 1, False), (False, 2, True), (True, 2, False)])
def test_where_one_is_killed_the_other_ends_and_any_number_goes_on(before, size, now, tmp_path, capfd):
    codes, seconds = broken_by(lambda: os.kill(os.getpid(), signal.SIGKILL), tmp_path, before)
    assert codes == [1, -signal.SIGKILL]
    assert seconds < 20
    capfd.readouterr()

    def go_on(crew):
        told = []
        model, trained = train("bert", PLAN, crew, keeping(tmp_path), tell=told.append)
        return {"steps": trained.steps, "told": told}, worlds.state(model)

    for rank, (words, weights) in enumerate(together(go_on, size, now)):
        assert words["steps"] == 9
        resumed = [event["steps"] for event in words["told"] if event["event"] == "resumed"]
        assert resumed == ([] if rank else [STEP - 1])  # the first alone speaks
        assert worlds.largest_difference(in_one_go(), weights) < 1e-6


def test_a_signal_that_one_hears_stops_all_at_the_same_step(tmp_path):
    codes, _ = broken_by(lambda: os.kill(os.getpid(), signal.SIGTERM), tmp_path)
    assert codes == [-signal.SIGTERM] * 2
    newest = checkpoint.read(checkpoint.found(tmp_path)[-1])
    assert newest.numbers["job"]["steps"] == STEP
    model, trained = train("bert", PLAN, keeping=keeping(tmp_path))
    assert trained.steps == 9
    assert worlds.largest_difference(in_one_go(), worlds.state(model)) < 1e-6


def test_memory_that_runs_out_in_one_process_halves_its_rows_alone():
    def work(crew):
        model, told = model_of("bert"), []

        def fail(module, args, logits):
            if module.training and crew.rank == 1 and len(logits) > 2:
                raise MemoryError

        model.module.classifier.register_forward_hook(fail)
        train("bert", PLAN, crew, model=model, tell=told.append)
        return {"notes": [e["what"] for e in told if e["event"] == "note"]}, worlds.state(model)

    for words, weights in together(work, 2):
        assert words["notes"] == []  # what the second process does alone is not news
        assert worlds.largest_difference(in_one_go(), weights) < 1e-6


@pytest.mark.parametrize("sharded", [False, True], ids=["whole", "sharded"])
def test_a_loss_that_is_no_number_in_one_process_is_skipped_by_all(sharded):
    class Lossy(type(worlds.task("bert"))):
        bad, seen = False, 0

        def loss(self, logits_BC, targets_B):
            total, count = super().loss(logits_BC, targets_B)
            self.seen += total.requires_grad
            return (total * float("nan") if self.bad and self.seen == 2 else total), count

    def work(crew):
        from warmstart.tune.loop import tune

        model, task, told = model_of("bert"), Lossy(), []
        task.bad = crew.rank == 1
        trained = tune(model, PLAN, task, splits_of("bert"), tell=told.append, crew=crew)
        return {"skipped": trained.proofs["steps_skipped"], "told": len(told)}, worlds.state(model)

    (one, weights), (other, others) = together(work, 2, sharded)
    assert one["skipped"] == other["skipped"] == 1
    assert other["told"] == 0
    assert worlds.equal(weights, others)


def test_processes_with_other_rows_are_refused():
    def work(crew):
        splits = splits_of("bert") | ({} if crew.first else {"train": worlds.split("bert", 22, 9)})
        with pytest.raises(WarmstartError, match="other rows"):
            train("bert", PLAN, crew, splits=splits)
        return {}, {}

    together(work, 2)


def test_parts_of_no_rows_add_nothing():
    """With more processes than rows some share is empty."""

    def work(crew):
        from warmstart.tune.job import Job

        model = model_of("bert")
        model.anatomy.set_learning(("*",), "frozen")
        job = Job(PLAN, worlds.task("bert"), model.anatomy, splits_of("bert"), (), crew=crew)
        total, count = add_gradients(job, (), job.splits["train"], np.array([3]), 0)
        return {"count": count, "total": total}, {}

    (one, _), (other, _) = together(work, 2)
    assert one["count"] == 1
    assert other == {"count": 0, "total": 0.0}


@pytest.mark.parametrize(("asked", "words"), [((0,), "processes = 0"), ((1, True), "shard")])
def test_numbers_of_processes_that_make_no_sense_are_refused(asked, words):
    with pytest.raises(WarmstartError, match=words):
        Hands(*asked)


def helpers():
    """Processes that this one has started."""
    here = os.getpid()
    return [int(n) for n in Path(f"/proc/{here}/task/{here}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads /proc")
def test_a_helper_that_is_killed_ends_the_command_with_a_clear_word_and_the_run_goes_on(world, tmp_path):
    from warmstart import process

    settings = ("phases.1.epochs=3", "phases.2.epochs=3", "batch=8")
    models = (str(world / "text-model"),)
    _, folder = process.plan(
        world / "reviews.csv", runs=tmp_path, models=models, strategy="full", settings=settings
    )

    def kill(event):
        if event["event"] == "look" and event["phase"] == 2:
            for child in helpers():
                os.kill(child, signal.SIGKILL)

    def broken():
        began = time.monotonic()
        with pytest.raises(WarmstartError) as caught:
            process.tune(folder, processes=2, tell=kill)
        return [caught.value.wrong, caught.value.do, caught.value.code, helpers(), time.monotonic() - began]

    def whole():
        told = []
        run = process.tune(folder, processes=2, tell=told.append)
        return {"epochs": len(run.history), "left": helpers(), "told": [e["event"] for e in told]}

    wrong, do, code, left, seconds = answer_of(broken)
    assert wrong == "process 2 of 2 ended by signal 9"
    assert "run folder" in do
    assert code == "process-ended"
    assert left == []
    assert seconds < 60
    end = answer_of(whole)
    assert end["left"] == []
    assert "resumed" in end["told"]


@pytest.mark.slow
def test_torchrun_starts_them_as_well(world, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "warmstart"]
    words = ["run", str(world / "reviews.csv"), "--from", str(world / "text-model"), "--out", str(tmp_path)]
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "reviews-1" / "report.html").is_file()
