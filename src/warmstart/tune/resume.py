"""Putting a training down and taking it up again where it was."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from warmstart.base.tables import to_table
from warmstart.base.types import Phase
from warmstart.models.inputs import bytes_of, digest
from warmstart.tune import checkpoint
from warmstart.tune.job import Guard, Job

PLACE = ("phase", "epoch", "step", "steps", "loss_sum", "loss_count", "stop", "history", "proofs")
FORMAT = 2  # of what is saved; another one is not resumed
FAILURES = (OSError, RuntimeError, SafetensorError)  # as which a full disk arrives


@dataclass
class Saver:
    """Saves the job every so many seconds and at the end of each phase, and tells how far it is."""

    job: Job
    guards: Sequence[Guard]
    folder: Path | None
    every: float  # seconds between checkpoints
    started: float
    saved: float = field(default_factory=time.perf_counter)
    told: float = 0.0
    begun: int = 0  # steps when this sitting began
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        self.fingerprint = digest(*beginning(self.job)) if self.folder is not None else ""

    def restore(self) -> Mapping[str, Tensor] | None:
        """Take up the newest intact checkpoint; returns the optimiser's tensors if there was one."""
        if self.folder is None:
            return None
        found, passed = checkpoint.newest(self.folder, self.fingerprint)
        for line in passed:
            self.job.tell({"event": "note", "what": f"checkpoint not used: {line}"})
        if found is None:
            return None
        for name in PLACE:
            setattr(self.job, name, found.numbers["job"][name])
        self.job.seconds = found.numbers["seconds"]
        self.job.set_weights(found.tensors["weights"])
        for i, guard in enumerate(self.guards):
            guard.restore(found.numbers["guards"][i], found.tensors.get(f"guard.{i}", {}))
        self.begun = self.job.steps
        self.job.tell({"event": "resumed", "steps": self.job.steps, "phase": self.job.phase + 1})
        return found.tensors.get("optimiser")

    def save_if_due(self, stepper: torch.optim.Optimizer) -> None:
        if time.perf_counter() - self.saved >= self.every:
            self.save(stepper)

    def save(self, stepper: torch.optim.Optimizer | None) -> None:
        """Write a checkpoint. A full disk is not the end of a training: where this fails, it is only said."""
        if self.folder is None:
            return
        guards = [guard.state() for guard in self.guards]
        numbers = {
            "job": {name: getattr(self.job, name) for name in PLACE},
            "guards": [numbers for numbers, _ in guards],
            "seconds": self.job.seconds + time.perf_counter() - self.started,
        }
        tensors: dict[str, Mapping[str, Tensor]] = {"weights": self.job.weights()}
        if stepper is not None:
            tensors["optimiser"] = optimiser_tensors(stepper)
        tensors |= {f"guard.{i}": table for i, (_, table) in enumerate(guards) if table}
        try:
            checkpoint.save(self.folder, self.fingerprint, numbers, tensors)
        except FAILURES as error:
            self.job.tell({"event": "note", "what": f"checkpoint not written: {error}"})
        self.saved = time.perf_counter()

    def progress(self, phase: Phase, per_epoch: int) -> None:
        """Tell the rate and the time left, once a second at most."""
        now = time.perf_counter()
        if now - self.told < 1:
            return
        self.told = now
        job, done = self.job, self.job.steps - self.begun
        rate = done / max(1e-9, now - self.started)
        left = (phase.epochs - job.epoch) * per_epoch - job.step
        left += sum(p.epochs * per_epoch for p in job.plan.phases[job.phase + 1 :] if p.solver == "adamw")
        job.tell(
            {
                "event": "step",
                "phase": job.phase + 1,
                "epoch": job.epoch + 1,
                "steps": job.steps,
                "of": job.steps + left,
                "loss": job.loss_sum / max(1, job.loss_count),
                "rows_per_second": rate * job.plan.batch,
                "seconds_left": left / max(1e-9, rate),
            }
        )


def beginning(job: Job) -> Iterator[bytes | memoryview]:
    """Plan, rows, labels and all weights before the first step: only a training with the same is resumed."""
    plan = {k: v for k, v in to_table(job.plan).items() if k != "reasons"}
    yield f"format {FORMAT} {plan}".encode()
    for name, split in sorted(job.splits.items()):
        yield f"{name} {split.inputs.key}".encode()
        yield bytes_of(split.targets)
    for name, tensor in job.anatomy.model.state_dict().items():
        yield f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode()
        yield bytes_of(tensor)


def optimiser_tensors(stepper: torch.optim.Optimizer) -> dict[str, Tensor]:
    state: dict[int, dict[str, Any]] = stepper.state_dict()["state"]
    return {f"{i}.{name}": value for i, table in state.items() for name, value in table.items()}


def set_optimiser(stepper: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give the optimiser the moments and step counts that `optimiser_tensors` took."""
    state: dict[int, dict[str, Tensor]] = {}
    for path, value in tensors.items():
        number, name = path.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    stepper.load_state_dict({"state": state, "param_groups": stepper.state_dict()["param_groups"]})
