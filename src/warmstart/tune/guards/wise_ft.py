"""WiSE-FT: average the weights before and after tuning (Wortsman et al. 2022, arXiv 2109.01903)."""

from dataclasses import dataclass, field

from torch import Tensor

from warmstart.tune.guards._start import check
from warmstart.tune.job import Guard, Job
from warmstart.tune.mixing import even, mixed


@dataclass
class WiseFt(Guard):
    """Body = (1 - mix) * start + mix * tuned; the head, which has no start worth keeping, stays tuned.

    What an adapter adds is scaled by `mix`; norm statistics are averaged as weights are.
    """

    mitigates = "forgetting"
    turn = 2
    mix: float = 0.5  # 0: the start, 1: the tuned weights
    start: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check("wise_ft", "mix", self.mix, 0 <= self.mix <= 1, "write a number from 0 to 1")

    def begin(self, job: Job) -> None:
        self.start = job.weights()

    def finish(self, job: Job) -> None:
        job.set_weights(mixed(self.start, job.weights(), even(job.anatomy, self.start, self.mix)))


GUARD = WiseFt
