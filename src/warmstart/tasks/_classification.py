"""What all tasks with one label a row share: targets, loss, probabilities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from warmstart.base.types import Bundle, Finding
from warmstart.models.inputs import Inputs
from warmstart.models.load import Pretrained


class Classification(ABC):
    """One of several labels for a row."""

    modality: ClassVar[str]
    pipeline: ClassVar[str]  # the task's name in transformers
    roles: ClassVar[tuple[str, ...]]  # columns that it needs
    primary: ClassVar[str] = "accuracy"

    def fits(self, roles: dict[str, str]) -> bool:
        """Do the columns that were found make this task?"""
        return set(self.roles) <= set(roles)

    @abstractmethod
    def encode(
        self, pretrained: Pretrained, values: Sequence[object], folder: Path | None
    ) -> tuple[Inputs, list[Finding]]:
        """Values of the input column -> inputs of the model, and what was noticed on the way."""

    def inputs(
        self, pretrained: Pretrained, bundle: Bundle, numbers: Sequence[int], folder: Path | None
    ) -> tuple[Inputs, list[Finding]]:
        """Inputs of the rows with these numbers; `folder` keeps what is dear to make."""
        column = bundle.roles[self.roles[0]]
        return self.encode(pretrained, [row[column] for row in bundle.rows.take(numbers)], folder)

    def targets(self, bundle: Bundle, numbers: Sequence[int]) -> Tensor:
        """N class numbers."""
        place = {label: i for i, label in enumerate(bundle.labels)}
        column = bundle.roles["label"]
        return torch.tensor([place[str(row[column])] for row in bundle.rows.take(numbers)], dtype=torch.long)

    def loss(self, logits_BC: Tensor, targets_B: Tensor) -> tuple[Tensor, int]:
        """Summed cross-entropy and how many rows it covers, so that batches can be added up."""
        return cross_entropy(logits_BC, targets_B, reduction="sum"), len(targets_B)

    def probabilities(self, logits_NC: Tensor) -> NDArray[np.float64]:
        """N x C probabilities in double precision."""
        return np.asarray(logits_NC.double().softmax(-1).numpy())

    def floor(self, targets_N: Tensor) -> float:
        """Accuracy of always giving the most frequent answer."""
        return float(torch.bincount(targets_N).max() / len(targets_N))
