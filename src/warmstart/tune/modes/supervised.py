"""Supervised learning: every training row once an epoch, in an order made from (seed, phase, epoch)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmstart.base.seeds import generator
from warmstart.tune.job import Job

WINDOW = 16  # batches at most, among which rows of like length are brought together
WINDOWS = 4  # an epoch at least: few rows sorted as a whole would share their batches in every epoch


@dataclass(frozen=True)
class Supervised:
    """Rows and their labels. Where batches are padded, rows of like length share one."""

    def batches(self, job: Job) -> list[NDArray[np.int64]]:
        """Row numbers of each step of the optimiser in the job's epoch; the last may be smaller."""
        random = generator(job.plan.seed, "shuffle", job.phase, job.epoch)
        lengths, size = job.splits["train"].inputs.lengths, job.plan.batch
        order = random.permutation(len(lengths))
        if not job.anatomy.packs:
            bring_together(order, lengths, size)
        batches = [order[i : i + size] for i in range(0, len(order), size)]
        whole = [batch for batch in batches if len(batch) == size]
        rest = batches[len(whole) :]
        return [whole[i] for i in random.permutation(len(whole))] + rest


def bring_together(order: NDArray[np.int64], lengths: NDArray[np.int64], size: int) -> None:
    """Sort stretches of the order by length, in place."""
    span = size * min(WINDOW, max(1, len(order) // (WINDOWS * size)))
    for i in range(0, len(order), span):
        window = order[i : i + span]
        order[i : i + span] = window[np.argsort(lengths[window], kind="stable")]


MODE = Supervised
