"""The head of a job, solved on what its body makes of the rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from warmstart.models.features import before_head
from warmstart.models.inputs import Inputs
from warmstart.tune import head
from warmstart.tune.job import Job, Split
from warmstart.tune.memory import looking


def solution(
    job: Job, splits: Mapping[str, Split], start: int, linear: nn.Linear, leave: float = 0.0
) -> dict[str, Any]:
    """Set the head, `linear`, to what solves it, in all processes; returns what was found.

    The rows of "train" and "validation" stand before group `start`; `leave` is as head.solve_head has it.
    """
    found = solved_here(job, splits, start, linear, leave) if job.crew.first else {}
    found = job.crew.said(found)
    job.crew.hand_out([p.data for p in linear.parameters()])
    return found


def solved_here(
    job: Job, splits: Mapping[str, Split], start: int, linear: nn.Linear, leave: float
) -> dict[str, Any]:
    def ask(rows: Inputs) -> Tensor:
        return before_head(job.anatomy, rows, start)

    features = {n: (looking(job.limits, s.inputs, ask, job.tell), s.targets) for n, s in splits.items()}
    return head.solve_head(
        linear,
        features["train"],
        features["validation"],
        linear.out_features,
        leave,
        job.anatomy.head_dropout,
    )
