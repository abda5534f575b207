"""A part of a step's rows on its way to a loss, where guards may change it and add to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from warmstart.models.anatomy import Anatomy, State
from warmstart.tasks._classification import Classification

if TYPE_CHECKING:
    from warmstart.tune.job import Guard, Job

IN_A_STEP = ("change", "beside", "penalty", "during", "moved")  # moments of a guard


@dataclass(frozen=True)
class Batch:
    """Rows that stand before group `start` of a model."""

    state: State
    start: int
    targets: Tensor  # as the task has them; for classes also B x C shares that add up to 1
    rows: NDArray[np.int64]  # numbers among the training rows
    weights_B: Tensor | None = None  # by which each row's loss is multiplied; None: 1

    def below_head(self, anatomy: Anatomy) -> State:
        """The state from which the head answers; gradients are made."""
        return anatomy.run(self.state, self.start, max(self.start, len(anatomy.groups) - 1))


@dataclass(frozen=True)
class Seen:
    """What the model made of a batch, with gradients."""

    below: State  # from which the head answered
    logits_BC: Tensor


def overrides(guards: Iterable[Guard], *moments: str) -> bool:
    """Does any of the guards do something at one of these moments?"""
    from warmstart.tune.job import Guard

    return any(getattr(type(guard), m) is not getattr(Guard, m) for guard in guards for m in moments)


def loss_of(job: Job, guards: Sequence[Guard], batch: Batch) -> tuple[Tensor, int]:
    """The summed loss of a batch, what guards make of it, and the number of answers."""
    anatomy, task = job.anatomy, job.task
    if not overrides(guards, "change", "beside"):
        return task.loss_of(anatomy, batch.state, batch.start, batch.targets)
    assert isinstance(task, Classification), "refused before the first step"
    for guard in guards:
        batch = guard.change(job, batch)
    below = batch.below_head(anatomy)
    logits_BC = anatomy.logits(below, max(batch.start, len(anatomy.groups) - 1)).float()
    loss, answers = task.loss(logits_BC, batch.targets, batch.weights_B)
    seen = Seen(below, logits_BC)
    for guard in guards:
        more = guard.beside(job, batch, seen)
        loss = loss if more is None else loss + more
    return loss, answers
