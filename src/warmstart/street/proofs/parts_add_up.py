"""Parts of a batch teach what the whole batch teaches: their gradients add up to its gradient."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from warmstart.base.types import Phase, Proof
from warmstart.models.anatomy import Anatomy
from warmstart.street.proofs._tick import (
    CLOSE,
    FEW,
    Scene,
    Tick,
    absent,
    compared,
    first_batch,
    job_of,
    left_alone,
)
from warmstart.tune.job import Job, Split
from warmstart.tune.loop import few_words
from warmstart.tune.step import add_gradients

PART = 2  # rows, where the plan does not say
FAINT = 0.01  # nats; below it 1 - p has few digits left in float32


@dataclass
class PartsAddUp(Tick):
    """In float32, without dropout, with norms at rest; of what learns in the phase that reaches lowest."""

    order: ClassVar[int] = 30
    claim: ClassVar[str] = "Accumulated gradients equal those of one batch"
    do: ClassVar[str] = "set micro_batch: 0 and take batches that fit into memory whole"

    def begun(self, scene: Scene) -> Proof:
        steps = [phase for phase in scene.plan.phases if phase.solver == "adamw"]
        if not steps:
            return absent("no step is taken: the head is solved")
        part = min(PART, scene.plan.micro_batch or PART)
        job = job_of(scene, micro_batch=0)
        rows = first_batch(job)[: min(FEW, part + 1)]
        if len(rows) < 2:
            return absent("a batch is a single row")
        part = min(part, len(rows) - 1)
        with left_alone(job.anatomy.model):
            loss, seen = left_over(job, lowest(steps, job.anatomy), rows, part)
        if loss < FAINT:
            return absent("the first rows are answered already, and their gradient is mostly rounding")
        return compared(f"{len(rows)} rows at once, and {part} at a time", seen, CLOSE)


def lowest(phases: list[Phase], anatomy: Anatomy) -> Phase:
    return min(phases, key=lambda phase: anatomy.boundary(phase.learn))


def left_over(job: Job, phase: Phase, rows: NDArray[np.int64], part: int) -> tuple[float, float]:
    """The mean loss, and the norm of the gradient of parts minus that of the whole, as a share of the latter.

    The second is added to the negative of the first, so that there is never more than one gradient.
    """
    job.anatomy.set_learning(phase.learn, "frozen")
    job.anatomy.model.eval()
    with few_words(job, (), {"train": job.splits["train"]}) as shorter:
        train: Split = shorter["train"]
        total, count = add_gradients(job, (), train, rows, 0)
        whole = length(job.anatomy)
        for parameter in job.anatomy.model.parameters():
            if parameter.grad is not None:
                parameter.grad.neg_()
        job.plan = replace(job.plan, micro_batch=part)
        add_gradients(job, (), train, rows, 0)
        return total / count, length(job.anatomy) / whole if whole else 0.0


def length(anatomy: Anatomy) -> float:
    """The norm of all gradients together."""
    gradients = [p.grad for p in anatomy.model.parameters() if p.grad is not None]
    return float(torch.nn.utils.get_total_norm(gradients))


PROOF = PartsAddUp
