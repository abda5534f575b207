"""Replay: a few rows of what the model was made for, in among the new ones (Robins 1995; 1 % is enough for
language models, Béthune et al. 2025, "Scaling laws for forgetting during finetuning with pretraining data
injection").
"""

from dataclasses import dataclass, field
from math import floor, inf

from torch import Tensor
from torch.nn.functional import cross_entropy

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import generator
from warmstart.models.anatomy import at_rest
from warmstart.models.features import read
from warmstart.tune.guards._start import body_learns, check, source_head
from warmstart.tune.guards.lwf import kept_answers
from warmstart.tune.job import Guard, Job, Split
from warmstart.tune.memory import logits_in_parts
from warmstart.tune.retained import Retained


@dataclass
class Replay(Guard):
    """Adds share times the mean loss of the source's head, over the tuned body, on rows to remember.

    With `soft` that loss is T^2 * KL from what the source itself says of them, as in lwf, without labels.

    In each step share * batch of these rows are drawn, with as many more or fewer as chance needs to make
    that the mean, and their summed loss is divided by the batch. They go through the model at rest, without
    dropout and with norm statistics as they are; the head rests too.
    """

    mitigates = "forgetting"
    remembers = True
    share: float = 0.05  # rows to remember for each row of the data
    soft: bool = False  # what the source says of them is to be kept, not their labels
    temperature: float = 2.0
    before_NK: Tensor | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        check("replay", "share", self.share, 0 < self.share <= 1, "write a share above 0, up to 1")
        above = 0 < self.temperature < inf
        check("replay", "temperature", self.temperature, above, "write a number above 0")

    def begin(self, job: Job) -> None:
        known(job)

    def enter(self, job: Job) -> None:
        if self.soft and self.before_NK is None and body_learns(job):
            retained, split = known(job)
            self.before_NK = logits_in_parts(retained.source, split.inputs, 0, job.limits, job.tell)

    def penalty(self, job: Job) -> Tensor | None:
        if not body_learns(job):
            return None
        retained, split = known(job)
        rows = self.drawn(job, len(split))
        if not len(rows):
            return None
        with at_rest(job.anatomy.model):
            state = read(job.anatomy, split.inputs, rows)
            below = job.anatomy.run(state, 0, len(job.anatomy.groups) - 1)
        now_BK = retained.over(below)
        if self.before_NK is not None:
            before_BK = self.before_NK[rows].to(job.device)
            return kept_answers(before_BK, now_BK, self.temperature) / job.plan.batch
        targets_B = split.targets[rows].to(job.device)
        return cross_entropy(now_BK, targets_B, reduction="sum") / job.plan.batch

    def drawn(self, job: Job, among: int) -> list[int]:
        """Numbers of the rows of this step, from a stream of its own: a resumed training draws alike."""
        random = generator(job.plan.seed, "replay", job.phase, job.epoch, job.step)
        wanted = self.share * job.plan.batch
        count = floor(wanted) + int(random.random() < wanted - floor(wanted))
        return [int(n) for n in random.choice(among, count, replace=count > among)]


def known(job: Job) -> tuple[Retained, Split]:
    """What the source knew, and rows of it. WarmstartError where there are none, or its head does not fit."""
    retained = source_head(job, "replay")
    if retained.split is None:
        raise WarmstartError(
            "guard 'replay' needs rows that the model was made for, with labels of its head; there are none",
            "take the guard out (lwf needs no such rows), or give some",
            "no-rows",
        )
    return retained, retained.split


GUARD = Replay
