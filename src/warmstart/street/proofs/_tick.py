"""What all proofs share: a training as they may look at it, and how a difference becomes a proof."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from warmstart.base.types import Bundle, Plan, Proof, Run
from warmstart.models.anatomy import Anatomy
from warmstart.models.features import logits_of
from warmstart.models.inputs import Inputs, Some
from warmstart.models.load import Pretrained
from warmstart.tasks._classification import Classification
from warmstart.tune.job import Job
from warmstart.tune.loop import new_job
from warmstart.tune.modes import MODES

if TYPE_CHECKING:
    from warmstart.street.training import Ready

FEW = 3  # rows, so that parts of them can be unequal: they show a fault as well as many, and cost little
PAIR = 2  # where any single row would show it
CLOSE = 1e-4  # what the order of sums may change in float32, as a share of the largest number


@dataclass(frozen=True)
class Scene:
    """A training at one of its moments."""

    plan: Plan
    task: Classification
    bundle: Bundle
    ready: Ready
    model: Pretrained  # adapted; once it is shipped without adapters
    source: Pretrained | None = None  # as it was loaded; before the first step alone
    run: Run | None = None  # once it is shipped
    saved: Path | None = None  # the folder of the model, once it is shipped


class Tick:
    """A promise. Override a moment: the first that returns a proof settles it.

    What it returns needs no name, and says only what was compared; the claim is put before it.
    """

    order: ClassVar[int]  # in which they are shown
    claim: ClassVar[str]  # what is promised: "Padding does not change an answer"
    do: ClassVar[str]  # what to do where it does not hold
    stops: ClassVar[bool] = False  # would numbers be published that are wrong? Then the run ends
    learns: ClassVar[bool] = True  # is it of plans that learn alone?

    def begun(self, scene: Scene) -> Proof | None:
        """Before the first step, the source beside the adapted model."""
        return None

    def learned(self, scene: Scene) -> Proof | None:
        """After the last step, adapters still beside their weights."""
        return None

    def shipped(self, scene: Scene) -> Proof | None:
        """After the model was asked about all splits, and saved."""
        return None


def compared(what: str, seen: float, bound: float) -> Proof:
    """A proof that holds up to the bound; a difference that is no number is too large."""
    finite = math.isfinite(seen)
    return Proof("", finite and seen <= bound, what, seen if finite else None, bound)


def absent(why: str) -> Proof:
    """One that does not apply."""
    return Proof("", None, f"does not apply, {why}")


def apart(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference, as a share of the largest number of `theirs`, or of 1 where all are smaller."""
    ours, theirs = ours.detach().double(), theirs.detach().double()
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1.0))


def answers(anatomy: Anatomy, inputs: Inputs, places: NDArray[np.int64]) -> Tensor:
    """Scores of these rows, as the model is asked after the training."""
    return logits_of(anatomy, Some(inputs, places))


def first_rows(inputs: Inputs) -> NDArray[np.int64]:
    """Places of the first two."""
    return np.arange(min(PAIR, len(inputs)))


def job_of(scene: Scene, **changes: Any) -> Job:
    """A job of the training as the loop would make it; no guard takes part."""
    splits = {name: scene.ready.splits[name] for name in ("train", "validation")}
    return new_job(
        scene.model.anatomy, replace(scene.plan, **changes), scene.task, splits, lambda event: None
    )


def first_batch(job: Job) -> NDArray[np.int64]:
    """Numbers of the training rows of the first step."""
    return np.asarray(MODES.get(job.plan.mode)().batches(job)[0])


@contextmanager
def left_alone(model: nn.Module) -> Iterator[None]:
    """Afterwards the model learns and rests where it did before, and holds no gradient."""
    modes = [(module, module.training) for module in model.modules()]
    learning = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        yield
    finally:
        model.zero_grad(set_to_none=True)
        for module, mode in modes:
            module.training = mode
        for parameter, flag in learning:
            parameter.requires_grad_(flag)
