"""One step in several processes: each takes its rows, and all end with the same sums.

Losses and gradients are sums over rows, so that sums over processes are what one process would have; they are
divided once, by the rows of all. Never a mean of means: shares differ in size, and may be empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from warmstart.tune.job import Job, Split
from warmstart.tune.memory import at_a_time


def place(job: Job) -> tuple[int, ...]:
    """Names the stream that dropout draws from; the first process draws as one that stands alone."""
    step = (job.phase, job.epoch, job.step)
    return step if job.crew.first else (*step, job.crew.rank)


def parts(job: Job, split: Split, numbers: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], int]]:
    """This process's share of the rows of a batch, so many at a time, and whether they count (1 or 0).

    Where weights are sharded all processes go through the layers equally often, since they hand each other
    the weights there: whoever has fewer parts adds one of a row that counts for nothing.
    """
    shares = job.crew.shares(split.inputs.lengths[numbers])
    own, longest = numbers[shares[job.crew.rank]], max(map(len, shares))
    size = at_a_time(job.limits, "step", job.plan.micro_batch or longest)
    for i in range(0, len(own), size):
        yield own[i : i + size], 1
    if job.crew.sharded:
        for _ in range(ceil(longest / size) - ceil(len(own) / size)):
            yield numbers[:1], 0


def coming(job: Job, split: Split, batches: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """What will be read of the rows next, for this step and the one after it."""
    near = batches[job.step : job.step + 2]
    return [part for numbers in near for part, _ in parts(job, split, numbers)]


def largest_share(job: Job, split: Split, numbers: NDArray[np.int64]) -> int:
    """Rows of a batch that any of the processes learns from."""
    return max(map(len, job.crew.shares(split.inputs.lengths[numbers])))


def total_of(job: Job, stepper: Optimizer, own: tuple[float, int]) -> tuple[float, int]:
    """Loss and answers of all processes, of these at least 1; every gradient becomes the sum over them."""
    if job.crew.alone:
        return own[0], max(1, own[1])
    if job.shards is not None:  # their gradients were added up on the way
        job.shards.take_gradients()
        total, count = job.crew.total(*own)
        return total, max(1, int(count))
    learning = parameters(stepper)
    total, count, *reached = job.crew.total(*own, *(float(p.grad is not None) for p in learning))
    for parameter, reaches in zip(learning, reached, strict=True):
        if reaches and parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    job.crew.add_up([p.grad for p in learning if p.grad is not None])
    return total, max(1, int(count))


def norm(job: Job, stepper: Optimizer) -> float:
    """Of all gradients together."""
    gradients = [p.grad for p in parameters(stepper) if p.grad is not None]
    length = float(torch.nn.utils.get_total_norm(gradients))
    return length if job.shards is None else job.crew.total(length**2)[0] ** 0.5


def parameters(stepper: Optimizer) -> list[Tensor]:
    return [parameter for table in stepper.param_groups for parameter in table["params"]]
