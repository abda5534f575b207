"""Mixout: in each step most weights are put back to their start, as dropout puts them to zero (Lee et al.
2020, arXiv 1909.11299).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from warmstart.base.seeds import stream
from warmstart.tune.guards._start import Pairs, body, check
from warmstart.tune.job import Guard, Job


@dataclass
class Mixout(Guard):
    """While a step goes forward and back, w is start + kept * (w - start) / (1 - p); kept is 1 or 0.

    That is the paper's ((1 - M) start + M w - p start) / (1 - p), whose mean over draws is w. Each number of
    the body's learning weights is kept with probability 1 - p, and learns only then; afterwards the weights
    are as they were. One draw a step, for all of its parts. The authors mix matrices alone; here biases and
    norms are mixed too. Adapters and the head, which have no start worth keeping, are not.
    """

    mitigates = "forgetting"
    swapped: float = 0.7  # called p in the paper, which has 0.7 to 0.9
    pairs: Pairs = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check("mixout", "swapped", self.swapped, 0 <= self.swapped < 1, "write a share from 0 to below 1")

    def begin(self, job: Job) -> None:
        self.pairs = body(job, "mixout")

    @contextmanager
    def during(self, job: Job) -> Iterator[None]:
        place = (job.phase, job.epoch, job.step)  # the same in all processes: they have the same weights
        source = torch.Generator(job.device).manual_seed(stream(job.plan.seed, "mixout", *place))
        learning = [pair for pair in self.pairs.values() if pair[0].requires_grad]
        kept = [torch.rand(p.shape, generator=source, device=p.device) >= self.swapped for p, _ in learning]
        weights = [p.data for p, _ in learning]
        try:
            for (parameter, start), some in zip(learning, kept, strict=True):
                parameter.data = self.mixed(parameter, start, some)
            yield
        finally:
            for (parameter, _), before in zip(learning, weights, strict=True):
                parameter.data = before
        for (parameter, _), some in zip(learning, kept, strict=True):
            if parameter.grad is not None:
                parameter.grad.mul_(some).div_(1 - self.swapped)

    def mixed(self, parameter: nn.Parameter, start: Tensor, some: Tensor) -> Tensor:
        """Laid out in memory as the parameter is."""
        change = parameter.detach() - start.to(parameter.device)
        return change.mul_(some).div_(1 - self.swapped).add_(start.to(parameter.device))


GUARD = Mixout
