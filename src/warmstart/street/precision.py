"""In which precision a model computes here: measured once, kept in the run folder, for all rivals."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_table, write_json
from warmstart.models.device import CPU, finish
from warmstart.models.features import device_of, read
from warmstart.models.inputs import Inputs
from warmstart.models.load import Pretrained
from warmstart.models.precision import AUTO, BF16, FP32, WORTH, WORTH_THERE, Chosen, choose
from warmstart.street.folder import Trip
from warmstart.tasks._task import Task
from warmstart.tune.memory import Limits, at_a_time, halving

FILE = "precision.json"
TOKENS = 512  # at most, in the small batch to measure with
CROWD = 32  # rows on a graphics processor, which fewer do not keep busy


def settle(trip: Trip, pretrained: Pretrained, inputs: Inputs, wanted: str = AUTO) -> str:
    """ "fp32" or "bf16": what was wanted, what was measured before, or what a few steps show to be faster.

    Leaves precision.json, so that a run that goes on computes as it began.
    """
    if wanted != AUTO:
        return wanted
    known = known_precisions(trip)
    if pretrained.source not in known:
        chosen = measure(pretrained, inputs)
        trip.tell({"event": "precision", "model": pretrained.source, **vars(chosen)})
        known[pretrained.source] = chosen.precision
        write_json(trip.path(FILE), known)
    return known[pretrained.source]


def known_precisions(trip: Trip) -> dict[str, str]:
    path = trip.path(FILE)
    if not path.is_file():
        return {}
    table = read_table(path, "delete it, and it is measured anew", "bad-run")
    if not all(value in (FP32, BF16) for value in table.values()):
        raise WarmstartError(f"{path}: {table}", "delete it, and it is measured anew", "bad-run")
    return {str(source): str(precision) for source, precision in table.items()}


def measure(
    pretrained: Pretrained, inputs: Inputs, task: Task | None = None, targets: Tensor | None = None
) -> Chosen:
    """Steps on the first rows; the model is as it was afterwards.

    With a task and its targets the loss is the task's; else it is that of logits, whatever they are to say.
    """
    anatomy = pretrained.anatomy
    device, limits = device_of(anatomy), Limits()
    wanted = few_rows(inputs) if device.type == CPU else min(CROWD, len(inputs))

    def step(precision: str) -> Tensor:
        anatomy.precision = precision
        rows = range(at_a_time(limits, "step", wanted))
        state = read(anatomy, inputs, rows)
        if task is not None and targets is not None:
            return task.loss_of(anatomy, state, 0, targets[: len(rows)].to(device))[0]
        return anatomy.logits(state).float().logsumexp(-1).sum()

    def measured() -> Chosen:
        worth, steps = WORTH if device.type == CPU else WORTH_THERE, len(inputs) / wanted
        return choose(pretrained.parameters, step, steps, lambda: finish(device), worth)

    try:
        return halving(limits, "step", wanted, measured, undo=lambda: anatomy.model.zero_grad(True))
    finally:
        anatomy.precision = FP32
        anatomy.model.zero_grad(set_to_none=True)


def few_rows(inputs: Inputs) -> int:
    """How many of the first rows tell how long a step takes."""
    return max(1, int((np.cumsum(inputs.lengths[: inputs.few]) <= TOKENS).sum()))
