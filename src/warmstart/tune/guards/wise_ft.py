"""WiSE-FT: average the weights before and after tuning (Wortsman et al. 2022, arXiv 2109.01903)."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from warmstart.base.errors import WarmstartError
from warmstart.tune.job import Guard, Job

FIRST_FACTOR = ".lora_A."


@dataclass
class WiseFt(Guard):
    """Body = (1 - mix) * start + mix * tuned; the head, which has no start worth keeping, stays tuned."""

    mitigates = "forgetting"
    turn = 2
    mix: float = 0.5  # 0: the start, 1: the tuned weights
    start: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.mix <= 1:
            raise WarmstartError(
                f"guard 'wise_ft': mix = {self.mix}", "write a number from 0 to 1", "wrong-value"
            )

    def begin(self, job: Job) -> None:
        self.start = job.weights()

    @torch.no_grad()
    def finish(self, job: Job) -> None:
        """An adapter B A starts with B = 0, so that scaling B alone mixes their product."""
        head = {id(p) for p in job.anatomy.groups[-1].parameters()}
        for name, parameter in job.anatomy.model.named_parameters():
            if name in self.start and id(parameter) not in head and FIRST_FACTOR not in name:
                parameter.lerp_(self.start[name].to(parameter.device), 1 - self.mix)


GUARD = WiseFt
