"""The strategies of the study, each run to its end through the product's own loop, with what it took."""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmstart.adapt.apply import apply
from warmstart.adapt.merge import merge_adapters
from warmstart.base.errors import WarmstartError
from warmstart.base.types import Bundle, Facts, Plan, Predictions
from warmstart.decide.choose import plan_for
from warmstart.street import training
from warmstart.street.folder import Trip
from warmstart.street.stops import task_of
from warmstart.street.training import Ready

STRATEGIES = ("frozen", "partial", "gradual", "full", "lora", "scratch")
PLAIN = "plain"  # head and body learn together from the first step: what "always fine-tune" means elsewhere


def plans(facts: Facts, model: str, seed: int) -> Iterator[tuple[str, Plan]]:
    """Every strategy with its default settings; scratch with the network of the full one, as in a rival."""
    full = plan_for("full", facts, model, seed=seed)
    for name in STRATEGIES:
        plan = plan_for(name, facts, model, seed=seed)
        yield name, plan if plan.pretrained else replace(plan, edits=full.edits)
    yield PLAIN, replace(full, phases=full.phases[-1:])


@dataclass(frozen=True)
class Arm:
    """What a strategy answered on every row that it did not learn from, and what it took."""

    said: dict[str, Predictions]
    took: dict[str, Any]


def carry_out(trip: Trip, name: str, plan: Plan, bundle: Bundle, ready: Ready) -> Arm | str:
    """Train by `plan`; or why that cannot be done with this model. Nothing is saved."""
    task = task_of(bundle)
    give_back()
    with peak_memory() as peak:
        started, cpu, begun = time.perf_counter(), time.process_time(), resident()
        try:
            pretrained = training.load_for(trip, plan, task.modality)
            adapted = apply(pretrained, plan.edits, bundle.labels, plan.seed)
        except WarmstartError as error:
            return error.wrong
        trained = training.learn(trip, name, adapted.pretrained, plan, bundle, ready)
        learned = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - started}
    finished = merge_adapters(adapted.pretrained)
    took = {
        **learned,
        "tuning": trained.seconds,
        "steps": trained.steps,
        "trained_parameters": trained.trained_parameters,
        "parameters": finished.parameters,
        "memory": max(0, peak.bytes - begun),
        "precision": training.precision_of(plan, ready),
        "history": [dict(entry) for entry in trained.history],
        "proofs": {k: v for k, v in trained.proofs.items() if isinstance(v, bool | int | float | str)},
    }
    return Arm(training.answer(finished, plan, task, ready), took)


@dataclass
class Peak:
    bytes: int = 0


class peak_memory:
    """Most resident memory of the process within the block, where the kernel tells (Linux)."""

    def __enter__(self) -> Peak:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self.peak = Peak()
        return self.peak

    def __exit__(self, *_: object) -> None:
        self.peak.bytes = status("VmHWM")


def give_back() -> None:
    """Freed memory of what went before to the system, so that it is not counted as of what follows."""
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def resident() -> int:
    return status("VmRSS")


def status(name: str) -> int:
    """Bytes of an entry of /proc/self/status; 0 where there is none."""
    path = Path(f"/proc/{os.getpid()}/status")
    if not path.is_file():
        return 0
    lines = [line for line in path.read_text().splitlines() if line.startswith(f"{name}:")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


def told(said: Predictions, places: list[str]) -> dict[str, NDArray[Any]]:
    """By place in the deal: was the row answered right, and how probable was the truth held (log)."""
    chosen = np.maximum(said.probabilities[np.arange(len(said.truth)), said.truth], 1e-12)
    return {
        "places": np.array([places[int(row)] for row in said.rows]),
        "right": said.answers == said.truth,
        "logs": np.log(chosen).astype(np.float32),
        "answers": said.answers.astype(np.int16),
        "truth": said.truth.astype(np.int16),
    }
