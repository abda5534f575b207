"""Numbers that are none: seen before a step is taken, and never saved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from warmstart.base.errors import WarmstartError
from warmstart.models.anatomy import BATCH_NORMS
from warmstart.models.gathered import held
from warmstart.tasks._task import Look
from warmstart.tune.job import Job, Split
from warmstart.tune.looks import look_at
from warmstart.tune.memory import at_a_time

MOST = 3  # steps in a row that may be skipped
SHOWN = 8  # rows named
LOWER = "lower the rate (phases.{}.lr in plan.yaml), then go on with --allow-change, or look at these rows"


def is_finite(tensor: Tensor) -> bool:
    """Is every number one? Whole numbers are.

    A sum is finite only if all numbers are, and costs a tenth of looking at each; where it is none, perhaps
    because it is too large itself, each is looked at.
    """
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    return math.isfinite(float(tensor.detach().sum())) or bool(torch.isfinite(tensor).all())


def first_bad(tensors: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]]) -> str | None:
    """The name of the first tensor with a number that is none."""
    pairs = tensors.items() if isinstance(tensors, Mapping) else tensors
    return next((name for name, tensor in pairs if not is_finite(tensor)), None)


def bad_weight(job: Job) -> str | None:
    """The name of a parameter or norm statistic that holds what is no number."""
    model = job.anatomy.model
    statistics = (
        (f"{prefix}.{name}", buffer)
        for prefix, module in model.named_modules()
        if isinstance(module, BATCH_NORMS)
        for name, buffer in module.named_buffers(recurse=False)
    )
    found = first_bad((n, held(p)) for n, p in model.named_parameters()) or first_bad(statistics)
    return found or ("a weight" if job.crew.largest(found is not None)[0] else None)


def check_weights(job: Job) -> None:
    """Raises WarmstartError if a weight is no number: such weights are never judged or saved."""
    name = bad_weight(job)
    if name is not None:
        raise ruined(job, name)


def ruined(job: Job, name: str) -> WarmstartError:
    if not job.steps:
        return WarmstartError(
            f"{name} holds numbers that are not finite before the first step",
            "take the model anew, or another one",
            "not-finite",
        )
    return WarmstartError(
        f"{name} is no longer finite after {job.steps} steps; the last good weights are those last saved",
        LOWER.format(job.phase),
        "not-finite",
    )


def skip(job: Job, split: Split, numbers: NDArray[np.int64], start: int, loss: float) -> None:
    """Say that a step is not taken, and because of which rows. WarmstartError if the weights are ruined."""
    check_weights(job)
    job.skipped, job.skips = job.skipped + 1, job.skips + 1
    job.proofs["steps_skipped"] = job.skips
    rows = named(split, culprits(job, split, numbers, start))
    what = f"the loss ({loss:g}) or its gradient is not finite in {place(job)}, training rows {rows}"
    job.tell({"event": "note", "what": f"{what}; the step was skipped ({job.skipped} in a row)"})
    job.bad_rows = rows


def place(job: Job) -> str:
    return f"phase {job.phase + 1}, epoch {job.epoch + 1}, step {job.step + 1}"


def too_many(job: Job) -> WarmstartError:
    """What to raise once steps were skipped MOST times in a row, and the good weights are saved."""
    what = f"{MOST} steps in a row had a loss or gradient that is not finite, the last in {place(job)}"
    return WarmstartError(f"{what}; training rows {job.bad_rows}", LOWER.format(job.phase), "not-finite")


def culprits(job: Job, split: Split, numbers: NDArray[np.int64], start: int) -> NDArray[np.int64]:
    """Those of the rows whose own loss is no number; all of them where none is alone to blame."""
    size = at_a_time(job.limits, "step", job.plan.micro_batch or len(numbers))
    parts = (numbers[i : i + size] for i in range(0, len(numbers), size))
    bad = bad_rows(look_at(job.task, job.anatomy, split, parts, start))
    return numbers[bad] if bad.any() else numbers


def bad_rows(look: Look) -> NDArray[np.bool_]:
    """N: is the loss of a row no number?"""
    bad: NDArray[np.bool_] = ~np.isfinite(look.losses_N.numpy())
    return bad


def named(split: Split, numbers: NDArray[np.int64]) -> str:
    """Rows as the user knows them where the split knows that, else by number; the first few."""
    name: Callable[[int], str] = split.name_of or str
    return ", ".join(name(int(n)) for n in numbers[:SHOWN]) + (" ..." if len(numbers) > SHOWN else "")


def check_validation(job: Job, split: Split, look: Look) -> None:
    """Raises WarmstartError, with the rows counted and named, if the validation loss is no number."""
    if math.isfinite(look.loss):
        return
    bad = np.flatnonzero(bad_rows(look))
    raise WarmstartError(
        f"the loss on the validation rows is {look.loss} after {job.steps} steps, because of {len(bad)} of "
        f"{len(split)} rows: {named(split, bad)}",
        "look at the model and these rows" if not job.steps else LOWER.format(job.phase),
        "not-finite",
    )


def check_answers(split: Split, numbers: NDArray[np.int64], logits_NC: Tensor) -> None:
    """Raises WarmstartError, with the rows counted and named, if an answer of a tuned model is no number."""
    bad = numbers[~torch.isfinite(logits_NC).all(1).numpy()]
    if len(bad):
        raise WarmstartError(
            f"the model gives no finite answer to {len(bad)} of {len(numbers)} rows: {named(split, bad)}",
            "look at these rows, or take them out",
            "not-finite",
        )


def statistics(job: Job) -> Callable[[], None]:
    """Take down the norm statistics that a forward pass moves; the answer puts them back."""
    awake = [m for m in job.anatomy.model.modules() if isinstance(m, BATCH_NORMS) and m.training]
    kept = [(b, b.clone()) for module in awake for b in module.buffers(recurse=False)]

    def put_back() -> None:
        for buffer, copy in kept:
            buffer.copy_(copy)

    return put_back
