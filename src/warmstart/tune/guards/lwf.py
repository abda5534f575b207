"""LwF: keep what the source's own head would say of the new rows (Li and Hoiem 2017, "Learning without
forgetting", arXiv 1606.09282; softened answers as in Hinton et al. 2015, arXiv 1503.02531).
"""

from dataclasses import dataclass, field
from math import inf

import torch
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax

from warmstart.tune.batch import Batch, Seen
from warmstart.tune.guards._start import body_learns, check, source_head
from warmstart.tune.job import Guard, Job
from warmstart.tune.memory import logits_in_parts


@dataclass
class Lwf(Guard):
    """Adds weight * T^2 * KL(softmax(before / T) || softmax(now / T)) for each row.

    `before` is what the source says of it, at rest; `now` what the source's head says of the tuned body. That
    head rests too, and so the whole must be kept by the body. T^2 keeps the gradient's size whatever T is;
    codes that leave it out ask for a fourth of the weight at T = 2. What the source says of all training rows
    is asked once a sitting, of the rows themselves: states behind a frozen prefix are the tuned model's own.
    """

    mitigates = "forgetting"
    remembers = True
    by_row = True
    weight: float = 1.0
    temperature: float = 2.0
    before_NK: Tensor | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        check("lwf", "weight", self.weight, 0 <= self.weight < inf, "write a number from 0")
        above = 0 < self.temperature < inf
        check("lwf", "temperature", self.temperature, above, "write a number above 0")

    def begin(self, job: Job) -> None:
        source_head(job, "lwf")

    def enter(self, job: Job) -> None:
        if self.before_NK is None and body_learns(job):
            inputs = job.splits["train"].inputs
            self.before_NK = logits_in_parts(source_head(job, "lwf").source, inputs, 0, job.limits, job.tell)

    def beside(self, job: Job, batch: Batch, seen: Seen) -> Tensor | None:
        if self.before_NK is None or not learns(seen):
            return None
        now_BK = source_head(job, "lwf").over(seen.below)
        before_BK = self.before_NK[torch.from_numpy(batch.rows)].to(now_BK.device)
        return self.weight * kept_answers(before_BK, now_BK, self.temperature)


def kept_answers(before_BK: Tensor, now_BK: Tensor, temperature: float) -> Tensor:
    """T^2 * KL(softmax(before / T) || softmax(now / T)), summed over rows."""
    p_BK, q_BK = log_softmax(before_BK / temperature, -1), log_softmax(now_BK / temperature, -1)
    return temperature**2 * kl_div(q_BK, p_BK, reduction="sum", log_target=True)


def learns(seen: Seen) -> bool:
    """Does a gradient reach the body?"""
    return any(isinstance(x, Tensor) and x.requires_grad for x in seen.below.values())


GUARD = Lwf
