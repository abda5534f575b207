"""What the source model knew: itself at rest, its head over the body that learns, and rows to remember."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from warmstart.models.anatomy import Anatomy, State

if TYPE_CHECKING:
    from warmstart.tune.job import Split


@dataclass(frozen=True, eq=False)
class Retained:
    """The source model with its own head of K classes; it never learns.

    `split` holds rows that it was made for, with class numbers of its own head; None where there are none.
    """

    source: Anatomy
    split: Split | None = None

    def __post_init__(self) -> None:
        self.source.model.eval().requires_grad_(False)

    def fits(self, anatomy: Anatomy) -> bool:
        """Has this model the body that the source's head reads: as many groups, and features as wide?"""
        ours, theirs = anatomy.head(), self.source.head()
        wide = ours is not None and theirs is not None and ours[1].in_features == theirs[1].in_features
        return wide and anatomy.names[:-1] == self.source.names[:-1]

    @torch.no_grad()
    def logits(self, state: State) -> Tensor:
        """B x K scores that the source itself gives rows which stand before its first group."""
        return self.source.logits(state).float()

    def over(self, below: State) -> Tensor:
        """B x K scores of the source's head over what another body, of the same shape, made of rows.

        Gradients reach that body.
        """
        return self.source.logits(below, len(self.source.groups) - 1).float()
