"""L2-SP: pull the weights towards where they started, not towards zero (Li et al. 2018, arXiv 1802.01483)."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from warmstart.tune.job import Guard, Job


@dataclass
class L2Sp(Guard):
    """Penalty weight/2 times the sum of squared distances to the pretrained weights. Head excluded."""

    mitigates = "forgetting"
    weight: float = 0.01
    start: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    def begin(self, job: Job) -> None:
        head = {id(p) for p in job.anatomy.groups[-1].parameters()}
        names = {n for n, p in job.anatomy.model.named_parameters() if id(p) not in head}
        self.start = {n: w for n, w in job.start.items() if n in names}

    def penalty(self, job: Job) -> Tensor | None:
        moving: dict[str, Any] = dict(job.anatomy.model.named_parameters())
        terms = [(moving[n] - w).square().sum() for n, w in self.start.items() if moving[n].requires_grad]
        return self.weight / 2 * sum(terms) if terms else None


GUARD = L2Sp
