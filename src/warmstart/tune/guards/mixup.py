"""mixup: learn from what lies between two rows, with a label between theirs (Zhang et al. 2018, arXiv
1710.09412).
"""

from dataclasses import dataclass, replace
from math import inf

import torch
from torch import Tensor

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import generator
from warmstart.models.anatomy import State
from warmstart.tune import together
from warmstart.tune.batch import Batch
from warmstart.tune.guards._shares import shares
from warmstart.tune.guards._start import check
from warmstart.tune.job import Guard, Job


@dataclass
class Mixup(Guard):
    """Each row becomes share * row + (1 - share) * partner, and its label too; share ~ Beta(alpha, alpha).

    One share and one permutation are drawn for the rows that go through together, so that with micro_batch
    partners come from the same part: equal in distribution, not the same step. Behind a frozen prefix it is
    what stands there that is mixed. For pictures: words have nothing between them, and token states of texts
    differ in length.
    """

    mitigates = "overfitting"
    mixes = True
    alpha: float = 0.1  # small: mostly near one of the two; 1: anywhere between

    def __post_init__(self) -> None:
        check("mixup", "alpha", self.alpha, 0 < self.alpha < inf, "write a number above 0")

    def begin(self, job: Job) -> None:
        if not mixable(job.splits["train"].inputs.batch([0]), 1):
            raise WarmstartError(
                "guard 'mixup' mixes rows number by number, and there is nothing between two words",
                "take the guard out; it is for pictures",
                "wrong-guard",
            )

    def change(self, job: Job, batch: Batch) -> Batch:
        rows = len(batch.targets)
        assert mixable(batch.state, rows), "refused before the first step"
        random = generator(job.plan.seed, "mixup", *together.place(job), int(batch.rows[0]))
        share, order = float(random.beta(self.alpha, self.alpha)), torch.from_numpy(random.permutation(rows))

        def mix(x: Tensor) -> Tensor:
            return share * x + (1 - share) * x[order.to(x.device)]

        state = {name: mix(x) for name, x in batch.state.items()}
        weights_B = None if batch.weights_B is None else mix(batch.weights_B)
        return replace(batch, state=state, targets=mix(shares(job, batch.targets)), weights_B=weights_B)


def mixable(state: State, rows: int) -> bool:
    """Is every tensor of the state one of real numbers with a place for each row?"""
    return all(isinstance(x, Tensor) and x.is_floating_point() and len(x) == rows for x in state.values())


GUARD = Mixup
