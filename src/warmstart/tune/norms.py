"""Norm statistics of fresh weights, measured anew before each look ("precise BN", Wu and Johnson 2021,
arXiv 2105.07576).

A moving average lags behind weights that move fast. With a few steps an epoch it makes the validation loss
rise while the network learns, and early stopping would keep the untrained network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from warmstart.base.seeds import generator
from warmstart.models.anatomy import BATCH_NORMS, Anatomy, at_rest
from warmstart.models.features import read
from warmstart.models.inputs import Inputs
from warmstart.tune.job import Job

ROWS = 512  # of the training rows, at most: enough for a mean and a variance per channel


def refresh(job: Job, inputs: Inputs, start: int) -> None:
    """Set the statistics of the norms that learn on fresh weights to the average over batches of these rows.

    `inputs` are the training rows as they stand before group `start`. Weights, modes and randomness stay.
    """
    if job.plan.pretrained or job.plan.norm_statistics != "learn":
        return
    norms = [m for m in job.anatomy.model.modules() if isinstance(m, BATCH_NORMS) and m.training]
    parts = batches(len(inputs), job.plan.batch, job.plan.seed)
    measure(job.anatomy, norms, inputs, parts, start)


def measure(
    anatomy: Anatomy,
    norms: Sequence[Any],
    inputs: Inputs,
    parts: Sequence[NDArray[np.int64]],
    start: int = 0,
) -> None:
    """Set the statistics of these norms to the average over these batches; nothing else is changed."""
    if not norms or len(parts[0]) == 1:
        return
    below = len(anatomy.groups) - 1
    with at_rest(anatomy.model), torch.no_grad():
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.train()
            norm.reset_running_stats()
            norm.momentum = None  # torch's word for the plain average over batches
        for numbers in parts:
            anatomy.run(read(anatomy, inputs, numbers), start, below)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()


def batches(rows: int, size: int, seed: int) -> list[NDArray[np.int64]]:
    """A sample of the rows, the same at every look, in batches of at least `size` and of like length.

    None is a small rest: it would count as much as the others and be far less sure.
    """
    chosen = generator(seed, "norms").permutation(rows)[:ROWS]
    return [np.asarray(part) for part in np.array_split(chosen, max(1, len(chosen) // size))]
