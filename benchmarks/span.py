"""The measured span of a training, as the script that trains reports it: processor and wall seconds."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.work.work import Work, read_work


def cpu_seconds() -> float:
    """User and system seconds of this process and of its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


@dataclass
class Span:
    """From the reading of rows to the last step; imports and the loading of weights come before it."""

    cpu: float = field(default_factory=cpu_seconds)
    wall: float = field(default_factory=time.perf_counter)

    def end(self) -> dict[str, float]:
        return {"cpu": cpu_seconds() - self.cpu, "wall": time.perf_counter() - self.wall}


def begun() -> Span:
    """The start of the span. What torch imports at an optimiser's first step is imported before."""
    import torch._dynamo  # noqa: F401

    return Span()


def asked(*flags: str) -> tuple[Work, Path, Namespace]:
    """The command line of every script: the work, where to write the result, and the script's own flags."""
    parser = ArgumentParser()
    parser.add_argument("work")
    parser.add_argument("out", type=Path)
    for flag in flags:
        parser.add_argument(f"--{flag}", action="store_true")
    given = parser.parse_args()
    return read_work(given.work), given.out, given


def report(out: Path, **said: Any) -> None:
    """Write the result: "cpu", "wall", and "losses" by epoch with "accuracy" where something was learned."""
    draft = out.with_suffix(".tmp")
    draft.write_text(json.dumps(said), encoding="utf-8")
    draft.rename(out)


def report_first_step(out: Path) -> None:
    """Say when the first step of the optimiser was done, since the process began, and end."""
    report(out, cpu=cpu_seconds(), at=time.time())
    sys.stdout.flush()
    os._exit(0)
