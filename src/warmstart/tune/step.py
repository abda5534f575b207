"""One step of the optimiser: losses are summed, divided once by all rows, checked before anything moves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import stream
from warmstart.models.features import to_device
from warmstart.tune.job import Guard, Job, Split
from warmstart.tune.not_finite import NotFinite


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

    The rows go through in parts of plan.micro_batch, which changes nothing but rounding. Raises
    WarmstartError, before the step, if the loss or its gradient is not finite.
    """
    for table in stepper.param_groups:
        table["lr"] = table["full_lr"] * rate
    stepper.zero_grad(set_to_none=True)
    total, count = add_gradients(job, split, numbers, start)
    learning = [p for table in stepper.param_groups for p in table["params"] if p.grad is not None]
    for parameter in learning:
        parameter.grad.div_(count)
    for guard in guards:
        penalty = guard.penalty(job)
        if penalty is not None:
            penalty.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(learning, job.plan.clip)
    if not (math.isfinite(total) and bool(torch.isfinite(norm))):
        raise not_finite(job, total / count, numbers)
    stepper.step()
    job.loss_sum, job.loss_count = job.loss_sum + total, job.loss_count + count


def add_gradients(job: Job, split: Split, numbers: NDArray[np.int64], start: int) -> tuple[float, int]:
    """Add up the gradients of the summed loss; returns that sum and the number of rows.

    Dropout draws from a stream of its own for each step, so that a resumed training draws the same.
    """
    size = job.plan.micro_batch or len(numbers)
    total, count, device = 0.0, 0, job.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        sow(stream(job.plan.seed, "dropout", job.phase, job.epoch, job.step), device)
        for i in range(0, len(numbers), size):
            part = numbers[i : i + size]
            logits = job.anatomy.logits(to_device(split.inputs.batch(part), device), start)
            loss, rows = job.task.loss(logits, split.targets[torch.from_numpy(part)].to(device))
            loss.backward()  # type: ignore[no-untyped-call]
            total, count = total + float(loss.detach()), count + rows
    return total, count


def sow(seed: int, device: torch.device) -> None:
    """Seed what dropout reads on this device.

    torch.manual_seed would seed every kind of device, and remember a traceback for each that is not in use.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)


def not_finite(job: Job, loss: float, numbers: NDArray[np.int64]) -> WarmstartError:
    place = f"phase {job.phase + 1}, epoch {job.epoch + 1}, step {job.step + 1}"
    return NotFinite(
        f"the loss ({loss:g}) or its gradient is not finite in {place}",
        f"lower the rate (--set phases.{job.phase}.lr=...) or look at these rows; the step was not taken",
        numbers.tolist(),
    )
