"""LiNeS: take back more of what tuning did the nearer a layer is to the input (Wang et al. 2024, arXiv
2410.17146).

Layers near the input hold what many tasks share; those near the head hold what is particular to one.
"""

from dataclasses import dataclass, field

from torch import Tensor

from warmstart.tune.guards._start import check
from warmstart.tune.job import Guard, Job
from warmstart.tune.mixing import mixed, rising


@dataclass
class Lines(Guard):
    """Body group l of L keeps lowest + (1 - lowest) * (l - 1) / (L - 1) of its change; the head keeps all.

    What an adapter adds is scaled so, and norm statistics are averaged as weights are.
    """

    mitigates = "forgetting"
    turn = 2
    lowest: float = 0.5  # share of its change that the first group keeps; 1: nothing is taken back
    start: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check("lines", "lowest", self.lowest, 0 <= self.lowest <= 1, "write a number from 0 to 1")

    def begin(self, job: Job) -> None:
        self.start = job.weights()

    def finish(self, job: Job) -> None:
        job.set_weights(mixed(self.start, job.weights(), rising(job.anatomy, self.start, self.lowest)))


GUARD = Lines
