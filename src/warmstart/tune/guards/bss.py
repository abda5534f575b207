"""BSS: shrink the directions in which a batch's features hardly spread (Chen et al. 2019, "Catastrophic
forgetting meets negative transfer: batch spectral shrinkage for safe transfer learning").

What the pretrained features say in these directions is what transfers least; with few rows a head leans on
it nevertheless.
"""

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from warmstart.tune.batch import Batch, Seen
from warmstart.tune.guards._start import check
from warmstart.tune.job import Guard, Job


@dataclass
class Bss(Guard):
    """Adds weight times the `smallest` smallest squared singular values of the features to the mean loss.

    They are the B x D features that the head reads of the rows that go through together; of several parts
    (micro_batch, or where memory ran out) the values count by their rows: another penalty, as the smallest
    values of a part are others. Where no layer below the head learns it adds nothing.
    """

    mitigates = "dependency"
    weight: float = 0.001  # called eta in the paper
    smallest: int = 1  # called k; all of them where there are fewer

    def __post_init__(self) -> None:
        check("bss", "weight", self.weight, 0 <= self.weight < inf, "write a number from 0")
        check("bss", "smallest", self.smallest, self.smallest >= 1, "write a whole number from 1")

    def beside(self, job: Job, batch: Batch, seen: Seen) -> Tensor | None:
        features_BD = job.anatomy.features(seen.below, len(job.anatomy.groups) - 1).float()
        if not features_BD.requires_grad:
            return None
        values: Tensor = torch.linalg.svdvals(features_BD)  # descending
        smallest: Tensor = values[-self.smallest :].square().sum()
        return self.weight * len(features_BD) * smallest


GUARD = Bss
