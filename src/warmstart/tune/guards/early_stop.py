"""Stop when the validation loss no longer falls; keep the best weights (Prechelt 1998)."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from warmstart.base.errors import WarmstartError
from warmstart.tune.job import Guard, Job

TIE = 1e-6  # weight of the loss where accuracies are the same
NUMBERS = ("best", "low", "last", "waited", "phase")


@dataclass
class EarlyStop(Guard):
    """The best weights of all phases are kept; those of an untrained network are none of them.

    The best have the lowest validation loss. Fresh weights are judged by their accuracy first: they grow sure
    of themselves long before they are good, so that their loss rises while they still learn.
    """

    mitigates = "overfitting"
    patience: int = 5  # looks without a gain on the lowest loss of the phase
    best: float | None = field(default=None, init=False)  # of all phases
    low: float | None = field(default=None, init=False)  # of this phase, what it began with included
    last: float | None = field(default=None, init=False)
    waited: int = field(default=0, init=False)
    phase: int = field(default=0, init=False)
    weights: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.patience < 1:
            raise WarmstartError(
                f"guard 'early_stop': patience = {self.patience}", "write a number from 1", "wrong-value"
            )

    def watch(self, job: Job, scores: dict[str, float]) -> None:
        if not (job.steps or job.plan.pretrained):
            return
        loss = judged(scores, job.plan.pretrained)
        if job.phase != self.phase:
            self.phase, self.waited, self.low = job.phase, 0, self.last
        gains = self.low is None or loss < self.low
        self.waited, self.low = (0, loss) if gains else (self.waited + 1, self.low)
        self.last = loss
        if self.best is None or loss < self.best:
            self.best, self.weights = loss, job.weights()
        if self.waited >= self.patience:
            job.stop = True

    def finish(self, job: Job) -> None:
        job.set_weights(self.weights)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        return {name: getattr(self, name) for name in NUMBERS}, self.weights

    def restore(self, numbers: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        for name in NUMBERS:
            setattr(self, name, numbers[name])
        self.weights = tensors


def judged(scores: dict[str, float], pretrained: bool) -> float:
    """What is to be low."""
    if pretrained:
        return scores["validation_loss"]
    return 1 - scores["validation_accuracy"] + TIE * scores["validation_loss"]


GUARD = EarlyStop
