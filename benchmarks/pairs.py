"""Paired runs: every contender a process of its own, one after the other, again and again in turn.

A machine that others use, or that grows warm, slows all contenders of a round alike; so costs are compared
within a round, and what is reported is the median of these ratios with the lowest and the highest. The cost
is processor seconds, and wall seconds on a GPU, for which a processor only waits.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.work.work import Work

ROOT = Path(__file__).resolve().parents[1]
QUIET = {
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "PYTHONDONTWRITEBYTECODE": "",
}
VISIBLE = "CUDA_VISIBLE_DEVICES"
LIBRARIES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Contender:
    """One side of a comparison: the words behind `python -m`, with {work}, {out} and more to be filled in."""

    name: str
    words: tuple[str, ...]
    needs: tuple[str, ...] = ()  # libraries; where one is missing the contender is named and not run
    steps: str = ""  # a pattern of files: the run is over at the first step that one of them tells of

    def missing(self) -> list[str]:
        return [name for name in self.needs if importlib.util.find_spec(name) is None]


@dataclass(frozen=True)
class Ran:
    """What a process cost, and what it reported of its measured span."""

    name: str
    said: dict[str, Any]
    process_cpu: float  # seconds, from start to exit, children included
    process_wall: float
    peak: float  # MB of resident memory
    device: str = "cpu"

    @property
    def clock(self) -> str:
        """Which seconds are its cost."""
        return "cpu" if self.device == "cpu" else "wall"

    @property
    def memory(self) -> float | None:
        """MB at the peak: of the process, or allocated on the GPU where it trained, if it said so."""
        return self.peak if self.device == "cpu" else self.said.get("gpu_mb")


def ratio(ours: Ran, theirs: Ran) -> float:
    """Their seconds over ours; for each operation where both scripts counted them."""
    counted = "amount" in ours.said and "amount" in theirs.said
    one, other = (float(r.said[r.clock]) / float(r.said["amount"] if counted else 1) for r in (ours, theirs))
    return other / one


class Failed(Exception):
    """A contender did not come to its end. The others go on, and the suite fails when all is done."""


Runner = Callable[[Contender, Work, Path], Ran]


def alternate(
    contenders: Sequence[Contender],
    work: Work,
    rounds: int,
    place: Path,
    tell: Callable[[str], None],
    runner: Runner,
) -> Iterator[list[Ran]]:
    """The runs of each round, without those that failed.

    Every other round goes backwards, so that nobody always comes first.
    """
    for number in range(rounds):
        order = contenders if number % 2 == 0 else contenders[::-1]
        ran = {}
        for contender in order:
            tell(f"round {number + 1} of {rounds}: {contender.name}")
            try:
                ran[contender.name] = runner(contender, replace(work, seed=work.seed + number), place)
            except Failed as failure:
                tell(str(failure))
        yield [ran[contender.name] for contender in contenders if contender.name in ran]


def run_once(contender: Contender, work: Work, place: Path) -> Ran:
    """A fresh interpreter and a fresh folder, which goes when the run is over."""
    scratch = place / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    out, log = scratch / "result.json", place / f"{contender.name.replace('/', '-')}.log"
    file = replace(work, scratch=str(scratch)).write(scratch / "work.json")
    known = {"work": file, "out": out, "scratch": scratch, "network": work.network, "data": work.data}
    words = [word.format(**known) for word in contender.words]
    env = {**os.environ, **QUIET, **dict.fromkeys(LIBRARIES, str(work.threads)), VISIBLE: visible(work)}
    with log.open("wb") as written:
        begun, clock = time.time(), time.perf_counter()
        command = [sys.executable, "-m", *words]
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=written, stderr=subprocess.STDOUT)
        first = first_step(process.pid, scratch, contender.steps) if contender.steps else None
        if first is not None:
            process.terminate()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - clock
    process.returncode = os.waitstatus_to_exitcode(status)
    said = first or read_result(contender, out, log)
    if "at" in said:
        said["wall"] = said["at"] - begun
    shutil.rmtree(scratch, ignore_errors=True)
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return Ran(contender.name, said, cpu, wall, peak, work.device)


def visible(work: Work) -> str:
    """The graphics processors that a contender sees: one or none, whatever it would take by itself."""
    return "" if work.device == "cpu" else os.environ.get(VISIBLE, "0").partition(",")[0]


def read_result(contender: Contender, out: Path, log: Path) -> dict[str, Any]:
    if not out.is_file():
        tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-12:]
        raise Failed(f"{contender.name} failed; the end of {log}:\n" + "\n".join(tail))
    table: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return table


def first_step(pid: int, folder: Path, pattern: str) -> dict[str, float] | None:
    """Watch files of events until one tells of a step; None if the process ends before."""
    while True:
        for path in folder.glob(pattern):
            for line in path.read_bytes().splitlines():
                if b'"event": "step"' in line and line.endswith(b"}"):
                    return {"cpu": cpu_of(pid), "at": float(json.loads(line)["time"])}
        if state_of(pid)[0] == "Z":
            return None
        time.sleep(0.01)


def state_of(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, the state first."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def cpu_of(pid: int) -> float:
    """User and system seconds of a running process and of its children that have ended."""
    return sum(int(ticks) for ticks in state_of(pid)[11:15]) / os.sysconf("SC_CLK_TCK")
