"""How rows fare under the model as it is: in eval mode, without gradients, in batches that memory bears."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from warmstart.models.anatomy import Anatomy, at_rest
from warmstart.models.features import BATCH, device_of, read
from warmstart.models.inputs import Inputs, Some
from warmstart.tasks._task import Look, Task
from warmstart.tune.job import Job, Split
from warmstart.tune.memory import looking


@torch.inference_mode()
def look_at(
    task: Task, anatomy: Anatomy, split: Split, batches: Iterable[NDArray[np.int64]], start: int
) -> Look:
    """How the rows of these batches fare, in that order; the split stands before group `start`."""
    looks, device = [], device_of(anatomy)
    with at_rest(anatomy.model):
        for numbers in batches:
            targets = split.targets[torch.from_numpy(numbers)].to(device)
            looks.append(task.look(anatomy, read(anatomy, split.inputs, numbers), start, targets))
    return Look.joined(looks)


def look_at_all(job: Job, split: Split, start: int) -> Look:
    """How all rows of a split fare, in their order, in as large batches as memory bears.

    Each of several processes looks at some of the batches, and all know of all. Batches are those of one
    process, so that what is seen is too, to the last bit. Where weights are sharded each looks at all rows.
    """
    if job.crew.alone or job.crew.sharded:
        return look_in_parts(job, split, start)
    whole = Look(*torch.zeros(3, len(split), dtype=torch.float64))
    batches = list(split.inputs.in_order(BATCH))[job.crew.rank :: job.crew.size]
    if batches:
        numbers = np.concatenate(batches)
        places = torch.from_numpy(numbers)
        own = look_in_parts(
            job, replace(split, inputs=Some(split.inputs, numbers), targets=split.targets[places]), start
        )
        whole.losses_N[places], whole.right_N[places] = own.losses_N, own.right_N.double()
        whole.answers_N[places] = own.answers_N.double()
    job.crew.add_up([whole.losses_N, whole.right_N, whole.answers_N])
    return whole


def look_in_parts(job: Job, split: Split, start: int) -> Look:
    def ask(rows: Inputs) -> Look:
        batches = list(rows.in_order(BATCH))
        found = look_at(job.task, job.anatomy, split, batches, start)
        return found.of(torch.from_numpy(np.argsort(np.concatenate(batches))))

    return looking(job.limits, split.inputs, ask, job.tell)
