"""Asked to stop, a training ends its step, saves and hands the signal on; asked twice, it stops at once."""

import os
import random
import signal
import sys
import time

import pytest
from children import SOAK, answer_of, ended, fork, on_audit
from torch.optim.optimizer import register_optimizer_step_pre_hook
from trainings import KINDS, check_same_end, end_of, train

from warmstart.tune import checkpoint

KIND = "texts, all layers, dropout"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CODES = {signal.SIGINT: 6, signal.SIGTERM: -signal.SIGTERM, signal.SIGHUP: -signal.SIGHUP}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return answer_of(lambda: end_of(KIND, folder, 1000.0))


def saved_steps(folder):
    path = checkpoint.found(folder / "checkpoints")[-1]
    checkpoint.verified(path)
    return checkpoint.read(path).numbers["job"]["steps"]


def at_step(number, act):
    """Do `act` while the optimiser takes its step of that number."""
    steps = iter(range(1, 1000))
    register_optimizer_step_pre_hook(lambda s, a, k: act() if next(steps) == number else None)


def asks(number):
    return lambda: os.kill(os.getpid(), number)


def test_a_signal_in_any_step_saves_that_step(whole, tmp_path):
    """Seldom saved otherwise; step and signal are chance."""
    source = random.Random(0)
    for i in range(10 * SOAK):
        number, step = source.choice(SIGNALS), source.randrange(1, len(whole["rates"]) + 1)
        folder = tmp_path / str(i)

        def work(folder=folder, step=step, number=number):
            at_step(step, asks(number))
            train(KIND, folder, 1000.0)

        assert ended(fork(work)) == CODES[number]
        assert saved_steps(folder) == step
        end = answer_of(lambda folder=folder: end_of(KIND, folder, 1000.0))
        assert end["resumed"] == [step]
        check_same_end(whole, end)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_a_checkpoint_is_written_waits_for_the_next_which_is_that_of_the_step(
    whole, tmp_path, number
):
    def work():
        def act(seen):
            if seen == 40:
                os.kill(os.getpid(), number)

        on_audit(lambda event, args: event == "open" and "checkpoint-" in str(args[0]), act)
        train(KIND, tmp_path)

    assert ended(fork(work)) == CODES[number]
    end = answer_of(lambda: end_of(KIND, tmp_path, 1000.0))
    assert 0 < end["resumed"][0] < whole["steps"]
    assert end["notes"] == []
    check_same_end(whole, end)


@pytest.mark.parametrize("number", SIGNALS)
def test_an_evaluation_is_broken_off_and_done_again(whole, tmp_path, number):
    def work():
        def tell(event):
            if event["event"] == "look" and event["step"] == 4:
                seen.append(event)

        seen = []

        def in_evaluation(frame, event, arg):
            if event == "call" and frame.f_code.co_name == "look_at_all" and seen:
                sys.setprofile(None)
                os.kill(os.getpid(), number)

        sys.setprofile(in_evaluation)
        train(KIND, tmp_path, 1000.0, tell)

    assert ended(fork(work)) == CODES[number]
    assert saved_steps(tmp_path) == 6  # after both steps of the next epoch
    end = answer_of(lambda: end_of(KIND, tmp_path, 1000.0))
    check_same_end(whole, end)


def test_a_second_interruption_stops_at_once(tmp_path):
    """Nothing more is saved, and the step is not ended."""

    def work():
        def twice():
            time.sleep(0.5)  # until what was begun to be written before is written
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

        at_step(3, twice)
        train(KIND, tmp_path, 1000.0)

    assert ended(fork(work)) == 6
    assert [saved_steps(tmp_path)] == [2]  # of the end of the first phase


def test_a_signal_that_is_ignored_stays_ignored(whole, tmp_path):
    """As nohup has it."""

    def work():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        at_step(3, asks(signal.SIGHUP))
        return end_of(KIND, tmp_path, 1000.0)

    assert answer_of(work)["weights"] == whole["weights"]


def test_the_handlers_that_stood_there_stand_there_again(tmp_path):
    before = [signal.getsignal(n) for n in SIGNALS]
    train(KIND, tmp_path, 1000.0)
    assert [signal.getsignal(n) for n in SIGNALS] == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_ends_with_6_and_says_how_to_go_on(world, tmp_path, number):
    from warmstart.base.events import read_events
    from warmstart.cli.main import main

    words = ["run", str(world / "reviews.csv"), "--from", str(world / "text-model"), "--out", str(tmp_path)]
    folder = tmp_path / "reviews-1"

    def work():
        sys.stderr = (tmp_path / "said").open("w")
        at_step(7, asks(number))
        code = main(words)
        sys.stderr.flush()
        os._exit(code)

    assert ended(fork(work)) == 6
    said = (tmp_path / "said").read_text()
    assert "error: interrupted" in said
    assert f"go on where it was: warmstart run {folder}" in said
    stopped = [e for e in read_events(folder / "events.jsonl") if e["event"] == "stopped"]
    assert len(stopped) == 1
    (saved,) = (folder / "training").glob("*/checkpoints")
    assert saved_steps(saved.parent) == stopped[0]["steps"]


def test_before_and_after_a_training_a_signal_ends_the_command_too(world, tmp_path):
    from warmstart.cli.main import main

    def work():
        on_audit(
            lambda event, args: event == "open" and "data.json" in str(args[0]),
            lambda n: os.kill(os.getpid(), signal.SIGTERM) if n == 1 else None,
        )
        os._exit(main(["check", str(world / "reviews.csv"), "--json"]))

    started = time.monotonic()
    assert ended(fork(work)) == 6
    assert time.monotonic() - started < 60


def test_every_kind_of_training_can_be_put_down(tmp_path):
    for i, kind in enumerate(KINDS):
        folder, other = tmp_path / str(i), tmp_path / f"whole-{i}"

        def work(kind=kind, folder=folder):
            at_step(4, asks(signal.SIGTERM))
            train(kind, folder, 1000.0)

        assert ended(fork(work)) == -signal.SIGTERM
        check_same_end(
            answer_of(lambda kind=kind, other=other: end_of(kind, other, 1000.0)),
            answer_of(lambda kind=kind, folder=folder: end_of(kind, folder, 1000.0)),
        )
