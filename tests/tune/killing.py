"""Trains in child processes that are killed, and says how their trainings ended; run by test_resume.

python killing.py FOLDER KILLS SEED

The libraries are imported once; every child is a fork. The answer is FOLDER/answer.json.
"""

import json
import os
import random
import resource
import signal
import sys
import time
from hashlib import sha256
from pathlib import Path

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

sys.path.insert(0, str(Path(__file__).parents[1]))

import tune_worlds as worlds
from warmstart.tune.loop import Keeping

torch.set_num_threads(1)
PLAN = worlds.plan(
    worlds.phase(("head",), lr=3e-2, epochs=2),
    worlds.phase(("*",), lr=1e-2, epochs=4, warmup=0.3, decay=0.8, schedule="cosine"),
    worlds.phase(("*",), lr=0.3, epochs=5, schedule="constant", warmup=0.0),  # ruin, to be stopped
    guards=({"name": "early_stop", "patience": 2}, {"name": "l2_sp", "weight": 0.001}),
    batch=10,
)
DATA = worlds.splits("bert", train=18, validation=12)
OFTEN, SELDOM = 0.0, 1000.0  # seconds between checkpoints: one after every step, or at the end of phases


def train(folder, out, seconds=OFTEN):
    """Train with checkpoints and write how it ended."""
    rates, told = [], []
    register_optimizer_step_pre_hook(
        lambda stepper, a, k: rates.append([g["lr"] for g in stepper.param_groups])
    )
    keeping = Keeping(folder / "cache", checkpoints=folder / "checkpoints", save_seconds=seconds)
    model = worlds.pretrained("bert", num_hidden_layers=1)
    _, trained = worlds.run("bert", PLAN, model, keeping=keeping, data=DATA, tell=told.append)
    total = sha256()
    for name, tensor in sorted(model.module.state_dict().items()):
        total.update(name.encode() + tensor.contiguous().numpy().tobytes())
    answer = {
        "weights": total.hexdigest(),
        "history": trained.history,
        "steps": trained.steps,
        "proofs": trained.proofs,
        "rates": rates,
        "resumed": [e["steps"] for e in told if e["event"] == "resumed"],
        "notes": [e["what"] for e in told if e["event"] == "note"],
    }
    out.write_text(json.dumps(answer))


def fork(work):
    """A child that does `work`; returns its process number."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException as error:  # nothing of a child may go on as if it were the parent
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)


def finish(folder, name):
    """Train to the end in a child and read how it ended."""
    out = folder / f"{name}.json"
    _, status = os.waitpid(fork(lambda: train(folder, out, SELDOM)), 0)
    return json.loads(out.read_text()) if status == 0 else {"crashed": status}


def kill_after(folder, seconds):
    """Kill a training after so many seconds; was it still at work?"""
    child = fork(lambda: train(folder, folder / "killed.json"))
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def kill_at(folder, number):
    """Kill a training at its `number`-th dealing with a file of a checkpoint."""

    def work():
        seen = 0

        def audit(event, args):
            nonlocal seen
            if any("checkpoint-" in str(a) for a in args[:2] if isinstance(a, (str, os.PathLike))):
                seen += 1
                if seen == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(audit)
        train(folder, folder / "killed.json")
        (folder / "seen").write_text(str(seen))

    _, status = os.waitpid(fork(work), 0)
    return os.WIFSIGNALED(status)


def without_room(folder):
    """Train where no file may be longer than 40 kB: every checkpoint fails on the way."""

    def work():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
        train(folder, folder / "full.json")

    _, status = os.waitpid(fork(work), 0)
    return status


def main(folder, kills, seed):
    source = random.Random(seed)
    train(made(folder / "warm"), folder / "warm.json")  # so that no child pays for what is loaded once
    whole = finish(made(folder / "whole"), "end")
    place = made(folder / "count")
    began = time.perf_counter()
    kill_at(place, 10**9)
    lasts = time.perf_counter() - began
    ends = []
    for i in range(3 * kills):
        place = made(folder / f"kill-{i}")
        if len(ends) < kills and kill_after(place, source.uniform(0.0, lasts)):
            ends.append(finish(place, "end"))
    place = folder / "count"
    total = int((place / "seen").read_text())
    in_saves = []
    for i, number in enumerate(source.sample(range(total // 5, total), max(6, kills // 3))):
        place = made(folder / f"save-{i}")
        in_saves.append({"killed": kill_at(place, number), "at": number, **finish(place, "end")})
    place = made(folder / "full")
    full = {"status": without_room(place), **json.loads((place / "full.json").read_text())}
    answer = {"whole": whole, "ends": ends, "in_saves": in_saves, "full": full}
    (folder / "answer.json").write_text(json.dumps(answer))


def made(folder):
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
