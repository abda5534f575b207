"""EMA: the average of the weights on their way is better and calmer than where they stand (Polyak and
Juditsky 1992; with exponential weights as in Tarvainen and Valpola 2017, arXiv 1703.01780).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from warmstart.tune.guards._start import check
from warmstart.tune.job import Guard, Job


@dataclass
class Ema(Guard):
    """average <- d * average + (1 - d) * weights after step t = 0, 1, ..., d = min(decay, (1+t) / (10+t)).

    The rising d lets go of the start, which would else weigh (decay)^t. Each phase begins an average of its
    own at the weights that it finds. It is the average that is looked at, that early_stop keeps and that
    stays in the end; a phase that solves the head has none. Norm statistics are those of the way itself.
    """

    mitigates = "overfitting"
    turn = 0
    decay: float = 0.999
    phase: int = field(default=-1, init=False)  # that the average is of
    count: int = field(default=0, init=False)  # steps in it
    average: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check("ema", "decay", self.decay, 0 <= self.decay < 1, "write a number from 0 to below 1")

    def enter(self, job: Job) -> None:
        if self.phase != job.phase:
            self.phase, self.count = job.phase, 0
            self.average = {name: p.detach().clone() for name, p in moving(job).items()}
        self.average = {name: t.to(job.device) for name, t in self.average.items()}  # perhaps from a disk

    @torch.no_grad()
    def moved(self, job: Job, stepper: Optimizer) -> None:
        kept = min(self.decay, (1 + self.count) / (10 + self.count))
        now = moving(job)
        torch._foreach_lerp_(list(self.average.values()), [now[name] for name in self.average], 1 - kept)
        self.count += 1

    @contextmanager
    def shown(self, job: Job) -> Iterator[None]:
        if self.phase != job.phase or not self.count:
            yield
            return
        now = moving(job)
        kept = {name: now[name].data for name in self.average}
        for name, average in self.average.items():
            now[name].data = average
        try:
            yield
        finally:
            for name, weights in kept.items():
                now[name].data = weights

    def finish(self, job: Job) -> None:
        if self.count and self.phase == len(job.plan.phases) - 1:
            job.set_weights(self.average)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        return {"phase": self.phase, "count": self.count}, {n: t.clone() for n, t in self.average.items()}

    def restore(self, numbers: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.phase, self.count, self.average = numbers["phase"], numbers["count"], dict(tensors)


def moving(job: Job) -> dict[str, nn.Parameter]:
    """Parameters that some phase may move, by name."""
    names = set(job.moving)
    return {name: p for name, p in job.anatomy.model.named_parameters() if name in names}


GUARD = Ema
