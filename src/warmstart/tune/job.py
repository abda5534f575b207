"""The only mutable object in the system: a training while it runs. And what a guard may do to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim import Optimizer

from warmstart.base.events import Tell, nobody
from warmstart.base.types import Plan
from warmstart.models.anatomy import Anatomy
from warmstart.models.gathered import gathered
from warmstart.models.inputs import Inputs
from warmstart.models.vocabulary import Vocabulary, whole_tensors
from warmstart.tasks._task import Look, Task
from warmstart.tune.batch import Batch, Seen
from warmstart.tune.crew import ALONE, Crew
from warmstart.tune.retained import Retained
from warmstart.tune.rise import Lowest
from warmstart.tune.shards import Shards


@dataclass(frozen=True)
class Split:
    """Rows ready to learn from or to be asked about."""

    inputs: Inputs
    targets: Tensor  # N class numbers, or whatever else the task asks of each row
    name_of: Callable[[int], str] | None = None  # what the user calls a row: file and line

    def __len__(self) -> int:
        return len(self.targets)


@dataclass
class Job:
    """A training: what it learns from, where it stands, what it has seen."""

    plan: Plan
    task: Task
    anatomy: Anatomy
    splits: Mapping[str, Split]  # "train" and "validation"
    moving: tuple[str, ...]  # names in the state dict of everything that some phase may move
    tell: Tell = nobody
    phase: int = 0
    epoch: int = 0  # of the phase
    step: int = 0  # of the optimiser, in the epoch
    steps: int = 0  # of the optimiser, in all
    loss_sum: float = 0.0  # of the epoch so far
    loss_count: int = 0
    stop: bool = False  # ends the phase
    skipped: int = 0  # steps in a row that were not taken, as their loss or gradient was not finite
    skips: int = 0  # such steps in all
    bad_rows: str = ""  # of the last of them
    limits: dict[str, int] = field(default_factory=dict)  # rows at a time that memory was found to bear
    history: list[dict[str, Any]] = field(default_factory=list)
    proofs: dict[str, Any] = field(default_factory=lambda: {"frozen_unmoved": True, "prefix_cached": []})
    seconds: float = 0.0  # spent in earlier sittings
    vocabulary: Vocabulary | None = field(default=None, repr=False)  # while only some of its rows take part
    crew: Crew = ALONE  # the processes that train together
    shards: Shards | None = field(default=None, repr=False)  # while each process holds a part of the weights
    exploded: int = 0  # the last phase, counted from 1, that was ended for undoing what was learned
    looked: Look | None = field(default=None, repr=False)  # how each validation row fared in the last look
    lowest: Lowest = field(default_factory=Lowest, repr=False)  # of the looks of the phase
    retained: Retained | None = field(default=None, repr=False)  # what the source knew, where that is known
    spare: Callable[[], bool] = field(default=bool, repr=False)  # gives back memory, if any can be spared

    @property
    def device(self) -> torch.device:
        return next(self.anatomy.model.parameters()).device

    def weights(self) -> dict[str, Tensor]:
        """Copies of everything that may move, by name."""
        state = self.anatomy.model.state_dict()
        copies = {name: gathered(state[name].detach()).clone() for name in self.moving}
        return whole_tensors(copies, self.vocabulary)

    def set_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Take over what `weights` gave; what never moves stays as it is."""
        given = dict(weights)
        if self.vocabulary is not None and self.vocabulary.name in given:
            self.vocabulary.take(given.pop(self.vocabulary.name))
        unknown = self.anatomy.model.load_state_dict(given, strict=False).unexpected_keys
        assert not unknown, unknown


class Guard:
    """A mitigation. Override what you need."""

    mitigates: ClassVar[str]  # "overfitting", "forgetting" or "dependency"
    turn: ClassVar[int] = (
        1  # in which guards finish: 0 averages, 1 chooses among weights, 2 mixes what was chosen
    )
    remembers: ClassVar[bool] = False  # does it ask for job.retained?
    mixes: ClassVar[bool] = False  # does it make new rows out of several?
    by_row: ClassVar[bool] = False  # does it know something of each training row, and of no other?

    def begin(self, job: Job) -> None:
        """Before the first phase, the weights as they came."""

    def enter(self, job: Job) -> None:
        """Before the steps of a phase, also of one that is taken up in its midst; all processes come here."""

    def change(self, job: Job, batch: Batch) -> Batch:
        """Before rows go through the model: other inputs, softer targets, weights. For classes only."""
        return batch

    def beside(self, job: Job, batch: Batch, seen: Seen) -> Tensor | None:
        """Added to the summed loss of these rows; a sum over them too. For classes only."""
        return None

    def penalty(self, job: Job) -> Tensor | None:
        """Added to the mean loss of every step."""
        return None

    def during(self, job: Job) -> AbstractContextManager[None]:
        """Around the forward and backward passes of a step; may be entered again where memory ran out."""
        return nullcontext()

    def moved(self, job: Job, stepper: Optimizer) -> None:
        """After a step of the optimiser."""

    def shown(self, job: Job) -> AbstractContextManager[None]:
        """While the validation rows are looked at and the guards watch: other weights may stand in."""
        return nullcontext()

    def watch(self, job: Job, scores: dict[str, float]) -> None:
        """After every evaluation on the validation rows; may set job.stop."""

    def finish(self, job: Job) -> None:
        """After the last phase; may set the weights."""

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Numbers and tensors that a resumed run needs to go on as if nothing had happened.

        They are written while the training goes on: a guard replaces such a tensor and never changes it.
        """
        return {}, {}

    def restore(self, numbers: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Take back what `state` gave."""
