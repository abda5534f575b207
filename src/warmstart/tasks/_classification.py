"""What all tasks with one label a row share: targets, loss, probabilities."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from warmstart.base.types import Bundle, Finding
from warmstart.models.anatomy import Anatomy, State
from warmstart.models.inputs import Inputs
from warmstart.models.load import Pretrained
from warmstart.tasks._task import Look, Task


class Classification(Task):
    """One of several labels for a row; targets are N class numbers."""

    primary: ClassVar[str] = "accuracy"

    @abstractmethod
    def encode(
        self, pretrained: Pretrained, values: Sequence[object], folder: Path | None
    ) -> tuple[Inputs, list[Finding]]:
        """Values of the input column -> inputs of the model, and what was noticed on the way."""

    def inputs(
        self, pretrained: Pretrained, bundle: Bundle, numbers: Sequence[int], folder: Path | None
    ) -> tuple[Inputs, list[Finding]]:
        """Inputs of the rows with these numbers; `folder` keeps what is dear to make."""
        return self.encode(pretrained, Cells(bundle, self.roles[0], tuple(numbers)), folder)

    def targets(self, bundle: Bundle, numbers: Sequence[int]) -> Tensor:
        """N class numbers."""
        place = {label: i for i, label in enumerate(bundle.labels)}
        return torch.tensor([place[str(v)] for v in Cells(bundle, "label", tuple(numbers))], dtype=torch.long)

    def loss(self, logits_BC: Tensor, targets: Tensor, weights_B: Tensor | None = None) -> tuple[Tensor, int]:
        """Summed cross-entropy and how many rows it covers, so that batches can be added up.

        `targets` are class numbers or B x C shares; `weights_B` multiply the loss of each row.
        """
        if weights_B is None:
            return cross_entropy(logits_BC, targets, reduction="sum"), len(targets)
        return cross_entropy(logits_BC, targets, reduction="none") @ weights_B, len(targets)

    def loss_of(self, anatomy: Anatomy, state: State, start: int, targets: Tensor) -> tuple[Tensor, int]:
        return self.loss(anatomy.logits(state, start).float(), targets)

    def look(self, anatomy: Anatomy, state: State, start: int, targets: Tensor) -> Look:
        logits_BC = anatomy.logits(state, start).double()
        losses_B = cross_entropy(logits_BC, targets, reduction="none")
        return Look(losses_B, logits_BC.argmax(-1) == targets, torch.ones_like(targets))

    def probabilities(self, logits_NC: Tensor) -> NDArray[np.float64]:
        """N x C probabilities in double precision."""
        return np.asarray(logits_NC.detach().cpu().double().softmax(-1).numpy())

    def floor(self, targets_N: Tensor) -> float:
        """Accuracy of always giving the most frequent answer."""
        return int(torch.bincount(targets_N).max()) / len(targets_N)


@dataclass(frozen=True)
class Cells(Sequence[Any]):
    """One column of some rows, read cell by cell: all pictures of a table need not fit into memory."""

    bundle: Bundle
    role: str
    numbers: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Any: ...

    @overload
    def __getitem__(self, place: slice) -> Cells: ...

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return Cells(self.bundle, self.role, self.numbers[place])
        column = self.bundle.rows.table.column(self.bundle.roles[self.role])
        return column[self.numbers[place]].as_py()
