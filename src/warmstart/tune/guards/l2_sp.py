"""L2-SP: pull the weights towards where they started, not towards zero (Li et al. 2018, arXiv 1802.01483)."""

from dataclasses import dataclass, field
from math import inf

import torch
from torch import Tensor, nn

from warmstart.base.errors import WarmstartError
from warmstart.tune.job import Guard, Job


@dataclass
class L2Sp(Guard):
    """Penalty weight/2 times the sum of squared distances to the pretrained weights. Head excluded."""

    mitigates = "forgetting"
    weight: float = 0.01
    pairs: list[tuple[nn.Parameter, Tensor]] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.weight < inf:
            raise WarmstartError(
                f"guard 'l2_sp': weight = {self.weight}", "write a number from 0", "wrong-value"
            )

    def begin(self, job: Job) -> None:
        head = {id(p) for p in job.anatomy.groups[-1].parameters()}
        body = {n: p for n, p in job.anatomy.model.named_parameters() if id(p) not in head}
        self.pairs = [(body[n], start) for n, start in job.weights().items() if n in body]

    def penalty(self, job: Job) -> Tensor | None:
        terms = [(now - start).square().sum() for now, start in self.pairs if now.requires_grad]
        return self.weight / 2 * torch.stack(terms).sum() if terms else None


GUARD = L2Sp
