"""The measured span of a training, as the script that trains reports it: processor and wall seconds.

On a GPU also "gpu_mb": the most memory that torch had allocated there since the process began.
"""

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

    device: str = "cpu"
    cpu: float = field(default_factory=cpu_seconds)
    wall: float = field(default_factory=time.perf_counter)

    def end(self) -> dict[str, float]:
        """What was spent; on a GPU, when all that was asked of it is done."""
        memory = settled() if self.device != "cpu" else {}
        return {"cpu": cpu_seconds() - self.cpu, "wall": time.perf_counter() - self.wall, **memory}


def begun(device: str = "cpu") -> Span:
    """The start of the span. What torch imports at an optimiser's first step is imported before.

    So is what a GPU does once in each process, for everybody: its first operations take seconds.
    """
    import torch._dynamo  # noqa: F401

    if device != "cpu":
        warm(device)
    return Span(device)


def warm(device: str) -> None:
    """A product and a convolution in both precisions: contexts are made, libraries are loaded."""
    import torch

    for dtype in (torch.float32, torch.bfloat16):
        one = torch.ones(1, 8, 64, 64, dtype=dtype, device=device)
        torch.nn.functional.conv2d(one @ one, one[:, :, :3, :3])
    settled()


def settled() -> dict[str, float]:
    """Wait for the GPU; the most memory that was allocated there, without what torch keeps in reserve."""
    import torch

    torch.cuda.synchronize()
    return {"gpu_mb": torch.cuda.max_memory_allocated() / 2**20}


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
