"""What a task is to the loop: rows with targets, a loss that adds up, and how single rows fare."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from warmstart.models.anatomy import Anatomy, State


@dataclass(frozen=True)
class Look:
    """How each of N rows fares: its summed loss, and of how many answers how many are right."""

    losses_N: Tensor  # double precision
    right_N: Tensor
    answers_N: Tensor

    @property
    def loss(self) -> float:
        """A mean over all answers."""
        return float(self.losses_N.sum()) / max(1, int(self.answers_N.sum()))

    @property
    def accuracy(self) -> float:
        return int(self.right_N.sum()) / max(1, int(self.answers_N.sum()))

    def of(self, numbers: Tensor) -> Look:
        return Look(self.losses_N[numbers], self.right_N[numbers], self.answers_N[numbers])

    @staticmethod
    def joined(looks: list[Look]) -> Look:
        names = ("losses_N", "right_N", "answers_N")
        return Look(*(torch.cat([getattr(look, name).cpu() for look in looks]) for name in names))


class Task(ABC):
    """What the model must answer. `targets` are one row of numbers (or one number) for each row of inputs."""

    modality: ClassVar[str]  # what kind of model is loaded: "text", "image" or "chat"
    pipeline: ClassVar[str]  # the task's name in transformers
    roles: ClassVar[tuple[str, ...]]  # columns that it needs, the input first
    primary: ClassVar[str]
    score: ClassVar[str] = "logistic_probe"  # what ranks candidates where no other is asked for
    baseline: ClassVar[str] = ""  # of the family of floors: what the rows give without a network
    whole_street: ClassVar[bool] = True  # or can it so far only be learned, from Python?
    fused: ClassVar[bool] = False  # does the loss read the weights of the head, or only its answers?

    def fits(self, roles: dict[str, str]) -> bool:
        """Do the columns that were found make this task, and can the whole street take it?"""
        return self.whole_street and set(self.roles) <= set(roles)

    @abstractmethod
    def loss_of(self, anatomy: Anatomy, state: State, start: int, targets: Tensor) -> tuple[Tensor, int]:
        """The summed loss of rows that stand before group `start`, and how many answers it covers.

        Sums and counts of parts of a batch add up to those of the batch.
        """

    @abstractmethod
    def look(self, anatomy: Anatomy, state: State, start: int, targets: Tensor) -> Look:
        """How each of these rows fares; the caller sees to eval mode and that no gradients are made."""
