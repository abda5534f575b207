"""WiSE-FT: average the weights before and after tuning (Wortsman et al. 2022, arXiv 2109.01903)."""

from dataclasses import dataclass

import torch

from warmstart.tune.job import Guard, Job


@dataclass
class WiseFt(Guard):
    """Body = (1 - mix) * start + mix * tuned; the head, which has no start worth keeping, stays tuned."""

    mitigates = "forgetting"
    mix: float = 0.5  # 0: the start, 1: the tuned weights

    @torch.no_grad()
    def finish(self, job: Job) -> None:
        head = {id(p) for p in job.anatomy.groups[-1].parameters()}
        for name, parameter in job.anatomy.model.named_parameters():
            if name in job.start and id(parameter) not in head:
                parameter.lerp_(job.start[name].to(parameter.device), 1 - self.mix)


GUARD = WiseFt
