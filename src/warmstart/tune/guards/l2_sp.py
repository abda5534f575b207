"""L2-SP: pull the weights towards where they started, not towards zero (Li et al. 2018, arXiv 1802.01483).

In the decoupled form, as AdamW decays (Loshchilov and Hutter 2019, arXiv 1711.05101): as a penalty it would
be divided by Adam's second moments, so that what moves much would be held least.
"""

from dataclasses import dataclass, field
from math import inf

import torch
from torch import Tensor
from torch.optim import Optimizer

from warmstart.tune.guards._start import body, check
from warmstart.tune.job import Guard, Job


@dataclass
class L2Sp(Guard):
    """After each step w <- w - rate * weight * (w - start), with the rate of w in that step.

    The head is not pulled, and neither are adapters: they have no start, and AdamW decays them towards zero,
    where they do nothing. A phase pulls what learns in it.
    """

    mitigates = "forgetting"
    weight: float = 10.0  # times the rate: the share of the way back in each step
    starts: dict[int, Tensor] = field(default_factory=dict, init=False, repr=False)  # by the parameter's id

    def __post_init__(self) -> None:
        check("l2_sp", "weight", self.weight, 0 <= self.weight < inf, "write a number from 0")

    def begin(self, job: Job) -> None:
        self.starts = {id(parameter): start for parameter, start in body(job, "l2_sp").values()}

    @torch.no_grad()
    def moved(self, job: Job, stepper: Optimizer) -> None:
        for table in stepper.param_groups:
            for parameter in table["params"]:
                if id(parameter) in self.starts:
                    parameter.lerp_(self.starts[id(parameter)], table["lr"] * self.weight)


GUARD = L2Sp
