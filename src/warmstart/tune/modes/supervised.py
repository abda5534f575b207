"""Supervised learning: every training row once an epoch, in an order made from (seed, phase, epoch)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmstart.base.seeds import generator
from warmstart.tune.job import Job


@dataclass(frozen=True)
class Supervised:
    """Rows and their labels."""

    def batches(self, job: Job) -> list[NDArray[np.int64]]:
        """Row numbers of each step of the optimiser in the job's epoch; the last may be smaller."""
        order = generator(job.plan.seed, "shuffle", job.phase, job.epoch).permutation(
            len(job.splits["train"])
        )
        return [order[i : i + job.plan.batch] for i in range(0, len(order), job.plan.batch)]


MODE = Supervised
