"""Putting a training down and taking it up again where it was."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import torch
from torch import Tensor

from warmstart.base.errors import WarmstartError
from warmstart.tune import checkpoint, finite, replan
from warmstart.tune.identity import Identity, differences, identity_of
from warmstart.tune.job import Guard, Job
from warmstart.tune.progress import Progress
from warmstart.tune.rise import Lowest
from warmstart.tune.save_thread import FAILURES, SaveThread
from warmstart.tune.shards import Shards
from warmstart.tune.signals import Stop, StopNow

PLACE = ("phase", "epoch", "step", "steps", "loss_sum", "loss_count", "stop", "history", "proofs")
TROUBLE = ("skipped", "skips", "bad_rows", "limits", "exploded")


@dataclass
class Saver:
    """Saves the job every so many seconds and at the end of each phase, and takes it up again.

    A save is written beside the training from copies; leaving the block waits for it.
    """

    job: Job
    guards: Sequence[Guard]
    folder: Path | None
    every: float  # seconds between checkpoints; 0: one after every step, each waited for
    started: float
    allow_change: bool = False
    failed: int = 0  # checkpoints that could not be written
    saved: float = field(default_factory=time.perf_counter)
    unseen: bool = False  # have the guards yet to see the weights that were taken over?
    thread: SaveThread = field(default_factory=SaveThread)
    identity: Identity | None = field(init=False)
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.progress = Progress(self.job, self.started)
        wanted = self.folder is not None or not self.job.crew.alone
        self.identity = identity_of(self.job) if wanted else None
        if self.identity is not None and not self.job.crew.agree(self.identity.fingerprint):
            raise WarmstartError(
                "the processes that should train together have other rows, plans or models",
                "give them the same files, and the same versions of warmstart",
                "not-together",
            )

    def __enter__(self) -> Saver:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None or not issubclass(kind, StopNow):
            self.wait()

    def restore(self) -> Mapping[str, Tensor] | None:
        """Take up the newest intact checkpoint; returns the optimiser's tensors if there was one.

        WarmstartError where those that lie there belong to a training with other data, model or plan.
        """
        if self.folder is None or self.identity is None:
            return None
        looked = self.look(self.folder, self.identity)
        for line in looked.passed:
            self.note(f"checkpoint not used: {line}")
        if looked.own is not None:
            return self.take_up(looked.own)
        if looked.other is not None:
            self.change(looked.other, self.identity.training)
        return None

    def look(self, folder: Path, identity: Identity) -> checkpoint.Looked:
        """What lies in the folder: the first process looks, the others read what it chose."""
        crew = self.job.crew
        looked = checkpoint.look(folder, identity) if crew.first else checkpoint.Looked(None, None, [])
        chosen = crew.said([None if c is None else c.name for c in (looked.own, looked.other)])
        if crew.first:
            return looked
        own, other = (None if name is None else checkpoint.read(folder / name) for name in chosen)
        return checkpoint.Looked(own, other, [])

    def change(self, kept: checkpoint.Checkpoint, now: Mapping[str, Any]) -> None:
        """Go on with what is another training by now, where that is wanted and honest."""
        assert self.folder is not None
        changed = differences(kept.identity.training, now)
        if not self.allow_change:
            raise replan.refusal(self.folder, changed)
        if replan.carry_over(self.job, kept, now, changed):
            self.progress.begun, self.unseen = self.job.steps, not replan.same_guards(kept, now)
            if not self.unseen:
                self.restore_guards(kept)
            self.save(None)

    def take_up(self, kept: checkpoint.Checkpoint) -> Mapping[str, Tensor] | None:
        """Put the job and its guards back to where they were."""
        assert self.identity is not None
        for name in (*PLACE, *TROUBLE):
            setattr(self.job, name, kept.numbers["job"][name])
        self.job.seconds = kept.numbers["seconds"]
        self.job.set_weights(kept.tensors["weights"])
        self.job.lowest = Lowest.of(kept.numbers.get("lowest", -1), kept.tensors.get("lowest", {}))
        self.restore_guards(kept)
        self.progress.begun = self.job.steps
        self.job.tell({"event": "resumed", "steps": self.job.steps, "phase": self.job.phase + 1})
        if (there := kept.identity.machine) != (here := self.identity.machine):
            changed = ", ".join(f"{k} {there.get(k)} -> {here[k]}" for k in here if there.get(k) != here[k])
            self.note(f"begun with {changed}: the last bits may differ from a training in one go")
        return kept.tensors.get("optimiser")

    def restore_guards(self, kept: checkpoint.Checkpoint) -> None:
        for i, guard in enumerate(self.guards):
            guard.restore(kept.numbers["guards"][i], kept.tensors.get(f"guard.{i}", {}))

    def save_or_stop(self, stepper: torch.optim.Optimizer, stop: Stop) -> None:
        """Save if it is time, and put the training down if anybody asked for it: in all processes alike."""
        due, asked = map(int, self.job.crew.largest(self.due, stop.signal))
        if due:
            self.save(stepper)
        if self.job.crew.alone:
            asked = stop.signal  # perhaps while it was saved; several processes hear of that a step later
        if asked:
            stop.signal = stop.signal or asked
            self.put_down(stop, stepper)

    @property
    def due(self) -> bool:
        """Is it time for a checkpoint? The first process looks at its clock."""
        if not self.job.crew.first or (self.thread.busy and self.every):
            return False
        return time.perf_counter() - self.saved >= self.every

    def save(self, stepper: torch.optim.Optimizer | None) -> None:
        """Begin to write a checkpoint, after the one before it. Where this fails, it is said and counted.

        WarmstartError if a number that would be written is none.
        """
        crew = self.job.crew
        if self.folder is None or not (crew.first or crew.sharded):
            return None
        self.wait()
        folder, identity = self.folder, self.identity
        assert identity is not None
        try:
            numbers, tensors = self.snapshot(stepper)
        except FAILURES as error:
            if crew.sharded:  # the others wait for this process's part
                raise
            return self.warn(error)
        if not crew.first:
            return None
        for name, table in tensors.items():
            if (bad := finite.first_bad(table)) is not None:
                raise finite.ruined(self.job, f"{bad} ({name})")
        self.thread.begin(lambda: checkpoint.save(folder, identity, numbers, tensors))
        if not self.every:
            self.wait()
        self.saved = time.perf_counter()
        return None

    def snapshot(self, stepper: torch.optim.Optimizer | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Copies of all that changes: numbers, and tensors on the processor's side."""
        guards = [guard.state() for guard in self.guards]
        job = self.job
        phase, lowest = job.lowest.state()
        numbers: dict[str, Any] = {
            "job": copy.deepcopy({name: getattr(job, name) for name in (*PLACE, *TROUBLE)}),
            "guards": [numbers for numbers, _ in guards],
            "seconds": job.seconds + time.perf_counter() - self.started,
            "lowest": phase,
        }
        tensors: dict[str, dict[str, Tensor]] = {"weights": job.weights()}
        if stepper is not None:
            moments = optimiser_tensors(stepper, job.shards)
            tensors["optimiser"] = {n: t.clone() for n, t in moments.items()}
        tensors |= {"lowest": lowest} if lowest else {}
        tensors |= {f"guard.{i}": dict(table) for i, (_, table) in enumerate(guards) if table}
        return numbers, {
            n: {k: v.detach().cpu().contiguous() for k, v in t.items()} for n, t in tensors.items()
        }

    def wait(self) -> None:
        """Until what is being written is on disk, or could not be."""
        if (failure := self.thread.wait()) is not None:
            self.warn(failure)

    def warn(self, failure: BaseException) -> None:
        self.failed += 1
        self.note(f"checkpoint not written: {failure} (warning {self.failed})")

    def note(self, what: str) -> None:
        self.job.tell({"event": "note", "what": what})

    def put_down(self, stop: Stop, stepper: torch.optim.Optimizer) -> NoReturn:
        """Save where the job stands, wait for it, and let the signal that asked for it go on."""
        self.save(stepper)
        self.wait()
        self.job.tell({"event": "stopped", "steps": self.job.steps, "signal": stop.signal})
        stop.hand_on()


def optimiser_tensors(stepper: torch.optim.Optimizer, shards: Shards | None = None) -> dict[str, Tensor]:
    state: dict[int, dict[str, Any]] = stepper.state_dict()["state"]
    tensors = {f"{i}.{name}": value for i, table in state.items() for name, value in table.items()}
    return tensors if shards is None else shards.whole_moments(stepper, tensors)


def set_optimiser(
    stepper: torch.optim.Optimizer, tensors: Mapping[str, Tensor], shards: Shards | None = None
) -> None:
    """Give the optimiser the moments and step counts that `optimiser_tensors` took."""
    if shards is not None:
        tensors = shards.own_moments(stepper, tensors)
    state: dict[int, dict[str, Tensor]] = {}
    for path, value in tensors.items():
        number, name = path.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    stepper.load_state_dict({"state": state, "param_groups": stepper.state_dict()["param_groups"]})
