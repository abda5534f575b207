"""R3F: answers should not change under a noise that changes nothing (Aghajanyan et al. 2020, "Better
fine-tuning by reducing representational collapse", arXiv 2008.03156).
"""

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.seeds import stream
from warmstart.models.anatomy import State
from warmstart.tune import together
from warmstart.tune.batch import Batch, Seen
from warmstart.tune.guards._start import check
from warmstart.tune.job import Guard, Job

SHAPES = ("normal", "uniform")


@dataclass
class R3f(Guard):
    """Adds weight * (KL(p || q) + KL(q || p)) for each row, of the answers p, and q under noise.

    The noise falls on the pixels, on what stands behind the embeddings of a text, or on what is kept of a
    frozen prefix. Rows that go through together draw it together, so that with micro_batch it is other noise.
    q takes a second pass, with a dropout of its own as in the authors' code, so that the sum also holds down
    what dropout changes; norm statistics that learn see both passes. Twice the cost.
    """

    mitigates = "overfitting"
    weight: float = 1.0
    spread: float = 1e-5  # standard deviation of the noise, or half its width
    noise: str = "normal"

    def __post_init__(self) -> None:
        check("r3f", "weight", self.weight, 0 <= self.weight < inf, "write a number from 0")
        check("r3f", "spread", self.spread, 0 < self.spread < inf, "write a number above 0")
        if self.noise not in SHAPES:
            raise WarmstartError(
                f"guard 'r3f': noise = {self.noise!r}", did_you_mean(self.noise, SHAPES), "wrong-value"
            )

    def beside(self, job: Job, batch: Batch, seen: Seen) -> Tensor:
        anatomy, start, state = job.anatomy, batch.start, batch.state
        if not real(state):
            state, start = anatomy.run(state, start, start + 1), start + 1
        place = (*together.place(job), int(batch.rows[0]))
        source = torch.Generator(job.device).manual_seed(stream(job.plan.seed, "r3f", *place))
        noised = {**state, **{name: x + self.drawn(x, source) for name, x in real(state).items()}}
        last = len(anatomy.groups) - 1
        below = anatomy.run(noised, start, max(start, last))
        noised_BC = anatomy.logits(below, max(start, last)).float()
        return self.weight * both_ways(seen.logits_BC, noised_BC)

    def drawn(self, like: Tensor, source: torch.Generator) -> Tensor:
        drawn = torch.empty_like(like, requires_grad=False)
        if self.noise == "normal":
            return drawn.normal_(0, self.spread, generator=source)
        return drawn.uniform_(-self.spread, self.spread, generator=source)


def real(state: State) -> dict[str, Tensor]:
    """The tensors of a state that hold real numbers; those made once a batch are not its own."""
    return {
        name: x
        for name, x in state.items()
        if isinstance(x, Tensor) and x.is_floating_point() and not name.startswith("_")
    }


def both_ways(one_BC: Tensor, other_BC: Tensor) -> Tensor:
    """KL(p || q) + KL(q || p), summed over rows, of two tables of logits."""
    p_BC, q_BC = log_softmax(one_BC, -1), log_softmax(other_BC, -1)
    return ((p_BC.exp() - q_BC.exp()) * (p_BC - q_BC)).sum()


GUARD = R3f
