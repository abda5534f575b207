"""One step of the optimiser: losses are summed, divided once by all, checked before anything moves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from warmstart.base.seeds import stream
from warmstart.models.device import CUDA
from warmstart.models.features import read
from warmstart.tune import finite, memory, together
from warmstart.tune.batch import Batch, loss_of
from warmstart.tune.groups import set_rates
from warmstart.tune.job import Guard, Job, Split


def one_step(
    job: Job,
    guards: Sequence[Guard],
    stepper: torch.optim.Optimizer,
    split: Split,
    numbers: NDArray[np.int64],
    start: int,
    rate: float,
) -> None:
    """Learn from these rows, which stand before group `start`, with `rate` times the full learning rates.

    The rows are divided among the processes, and go through in parts of plan.micro_batch, or fewer where
    memory runs out, which changes nothing but rounding. A step whose loss or gradient is not finite is not
    taken. Guards may change what is learned from; their penalties come after the gradients of all processes,
    once. Dividing by the count and clipping are left to the optimiser, which passes over every gradient
    anyway.
    """
    set_rates(stepper, rate)
    stepper.zero_grad(set_to_none=True)
    undo = finite.statistics(job)
    rows = together.largest_share(job, split, numbers)
    own = memory.learning(job, stepper, rows, undo, lambda: add_gradients(job, guards, split, numbers, start))
    total, count = together.total_of(job, stepper, own)
    for guard in guards:
        penalty = guard.penalty(job)
        if penalty is not None:
            (penalty * count).backward()  # type: ignore[no-untyped-call]
    norm = together.norm(job, stepper) / count
    if not (math.isfinite(total) and math.isfinite(norm)):
        undo()
        finite.skip(job, split, numbers, start, total / count)
        return
    scale = count * max(1.0, norm / job.plan.clip)
    stepper.grad_scale = torch.tensor(scale, device=job.device)  # type: ignore[attr-defined]
    stepper.step()
    for guard in guards:
        guard.moved(job, stepper)
    job.skipped = 0
    job.loss_sum, job.loss_count = job.loss_sum + total, job.loss_count + count


def add_gradients(
    job: Job, guards: Sequence[Guard], split: Split, numbers: NDArray[np.int64], start: int
) -> tuple[float, int]:
    """Add up the gradients of the summed loss; returns that sum and the number of answers.

    Of several processes each takes its share of the rows. Dropout draws from a stream of its own for each
    step and process, so that a resumed training draws the same.
    """
    total, count, device = 0.0, 0, job.device
    with ExitStack() as around:
        for guard in guards:
            around.enter_context(guard.during(job))
        around.enter_context(sown(device, stream(job.plan.seed, "dropout", *together.place(job))))
        for part, weight in together.parts(job, split, numbers):
            state, targets = read(job.anatomy, split.inputs, part), split.targets[torch.from_numpy(part)]
            loss, answers = loss_of(job, guards, Batch(state, start, targets.to(device), part))
            loss = loss if weight else loss * 0
            loss.backward()  # type: ignore[no-untyped-call]
            total, count = total + float(loss.detach()), count + answers * weight
    return total, count


@contextmanager
def sown(device: torch.device, seed: int) -> Iterator[None]:
    """Meanwhile dropout on this device draws from this seed; then randomness goes on where it was.

    torch.manual_seed would seed every kind of device, and remember a traceback for each that is not in use.
    """
    with torch.random.fork_rng(devices=[device] if device.type == CUDA else []):
        torch.default_generator.manual_seed(seed)
        if device.type == CUDA:
            torch.cuda.default_generators[device.index or 0].manual_seed(seed)
        yield
