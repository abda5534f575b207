"""Steps that a graphics processor replays: recorded once for each size of batch, then done in one call.

Python asks for some hundreds of kernels a step, which takes longer than they do unless a model is large. A
graph of them (CUDA graphs) is launched at once: gradients, their norm, the check that all is finite and the
move. A step is recorded when a batch of its size has been learned from in the ordinary way, and does the same
to the last bit. What cannot be recorded goes on in the ordinary way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from warmstart.base.seeds import stream
from warmstart.models.anatomy import BATCH_NORMS, State
from warmstart.models.device import CUDA
from warmstart.models.features import read
from warmstart.models.rows import STEP, Layout
from warmstart.models.standing import CannotStand, standing, take
from warmstart.tune import finite, together
from warmstart.tune.batch import IN_A_STEP, overrides
from warmstart.tune.groups import set_rates
from warmstart.tune.job import Guard, Job, Split
from warmstart.tune.memory import at_a_time, is_shortage
from warmstart.tune.step import sown

MOST = 32  # sizes that are recorded
Key = tuple[int, ...]
Tape = Callable[[Callable[[], None]], Callable[[], None]]  # records what is done, and does it again


@dataclass
class Recorded:
    """A step, where it reads its batch and where it says how it went."""

    state: State
    targets: Tensor
    told: Tensor  # summed loss and norm of the summed gradient
    count: int
    statistics: list[tuple[Tensor, Tensor]]  # of norms, and what they were before the step
    replay: Callable[[], None] = field(default=lambda: None)


@dataclass
class Replays:
    """The steps of a phase that were recorded."""

    job: Job
    stepper: torch.optim.Optimizer
    start: int
    tape: Tape
    recorded: dict[Key, Recorded] = field(default_factory=dict)
    seen: set[Key] = field(default_factory=set)
    gradients: dict[int, Tensor] = field(default_factory=dict)  # by the parameter's id; all graphs share them
    working: bool = True

    def step(self, split: Split, numbers: NDArray[np.int64], rate: float) -> bool:
        """Learn from these rows, if a batch like theirs was recorded or can be; False: nothing was done."""
        key = self.key(split, numbers)
        if key is None:
            return False
        if key not in self.seen or (key not in self.recorded and len(self.recorded) >= MOST):
            self.seen.add(key)
            return False
        try:
            state = read(self.job.anatomy, split.inputs, numbers)
            targets = split.targets[torch.from_numpy(numbers)].to(self.job.device)
        except (RuntimeError, MemoryError) as error:
            if not is_shortage(error):
                raise
            self.forget()
            return False  # the ordinary way halves
        if key not in self.recorded and (made := self.record(state, targets, split)) is not None:
            self.recorded[key] = made
        known = self.recorded.get(key)
        if known is None:
            return False
        take(known.state, state)
        known.targets.copy_(targets)
        set_rates(self.stepper, rate)
        with sown(self.job.device, stream(self.job.plan.seed, "dropout", *together.place(self.job))):
            known.replay()
        self.account(known, split, numbers)
        return True

    def key(self, split: Split, numbers: NDArray[np.int64]) -> Key | None:
        """What batches have in common that one recording serves; None for those that none does."""
        job, rows = self.job, len(numbers)
        if self.working and job.limits.get("step"):
            self.forget()  # memory is scarce
        whole = rows == job.plan.batch == at_a_time(job.limits, "step", job.plan.micro_batch or rows)
        if not (self.working and whole):
            return None
        lengths = split.inputs.lengths[numbers]
        if job.anatomy.packs:
            return rows, Layout(lengths).size
        return (rows,) if (lengths == 1).all() else None

    def record(self, state: State, targets: Tensor, split: Split) -> Recorded | None:
        """The step on a batch like this one; None where it cannot be recorded, and then none is any more."""
        learning = [p for p in together.parameters(self.stepper) if p in self.stepper.state]
        if not learning:
            return None
        try:
            self.stepper.zero_grad(set_to_none=True)
            for parameter in learning:
                if id(parameter) not in self.gradients:
                    self.gradients[id(parameter)] = torch.zeros_like(parameter)
                parameter.grad = self.gradients[id(parameter)]
            known = self.prepared(state, targets, split)
            known.replay = self.tape(lambda: self.work(known, learning))
            return known
        except (CannotStand, RuntimeError, MemoryError) as error:
            self.forget()
            if not isinstance(error, CannotStand):
                reason = (str(error).strip() or type(error).__name__).splitlines()[0][:160]
                what = f"steps are not replayed as graphs here ({reason})"
                self.job.tell({"event": "note", "what": what})
            return None
        finally:
            self.stepper.zero_grad(set_to_none=True)
            self.stepper.found_inf = self.stepper.grad_scale = None  # type: ignore[attr-defined]

    def prepared(self, state: State, targets: Tensor, split: Split) -> Recorded:
        """Room for a batch like this one."""
        longest = max(int(split.inputs.lengths.max()), STEP)
        awake = [m for m in self.job.anatomy.model.modules() if isinstance(m, BATCH_NORMS) and m.training]
        buffers = [(b, b.clone()) for module in awake for b in module.buffers(recurse=False)]
        told = torch.zeros(2, dtype=torch.float64, device=targets.device)
        return Recorded(standing(state, longest), targets.clone(), told, 1, buffers)

    def work(self, known: Recorded, learning: Sequence[Tensor]) -> None:
        """The whole step, as `one_step` takes it; where something is not finite, nothing moves."""
        job, stepper = self.job, self.stepper
        for buffer, before in known.statistics:
            before.copy_(buffer)
        gradients = [self.gradients[id(parameter)] for parameter in learning]
        torch._foreach_zero_(gradients)
        loss, count = job.task.loss_of(job.anatomy, known.state, self.start, known.targets)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.get_total_norm(gradients)
        known.count = max(1, count)
        known.told[0].copy_(loss.detach())
        known.told[1].copy_(norm)
        scale = (norm.double() / known.count / job.plan.clip).clamp(min=1) * known.count
        stepper.grad_scale = scale.float()  # type: ignore[attr-defined]
        stepper.found_inf = (~torch.isfinite(known.told).all()).float()  # type: ignore[attr-defined]
        stepper.step()

    def forget(self) -> bool:
        """Give back the memory that recordings hold; none is made any more. Was there any?"""
        held = bool(self.recorded or self.gradients)
        self.working, self.recorded, self.gradients = False, {}, {}
        return held

    def account(self, known: Recorded, split: Split, numbers: NDArray[np.int64]) -> None:
        """Count the step; where it was not taken, say so and put back what it moved."""
        job, (total, norm) = self.job, known.told.tolist()
        if math.isfinite(total) and math.isfinite(norm):
            job.skipped = 0
            job.loss_sum, job.loss_count = job.loss_sum + total, job.loss_count + known.count
            return
        with torch.no_grad():
            for buffer, before in known.statistics:
                buffer.copy_(before)
        finite.skip(job, split, numbers, self.start, total / known.count)


def replays(job: Job, guards: Sequence[Guard], stepper: torch.optim.Optimizer, start: int) -> Replays | None:
    """What replays the steps of a phase; None where none can be: not on processors, which do not record."""
    guarded = overrides(guards, *IN_A_STEP)
    if job.device.type != CUDA or guarded or job.task.fused or not job.crew.alone:
        return None
    found = Replays(job, stepper, start, on_card(job.device))
    job.spare = found.forget
    return found


def on_card(device: torch.device) -> Tape:
    """Records a graph of the graphics processor. All share one pool of memory, as they never run at once."""
    pool: Any = torch.cuda.graph_pool_handle()
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def record(work: Callable[[], None]) -> Callable[[], None]:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(device):
            before = torch.cuda.current_stream()
            try:
                with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
                    work()
            finally:  # where a capture fails, torch leaves its own stream in place
                torch.cuda.set_stream(before)
        return graph.replay

    return record
