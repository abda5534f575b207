"""Stop when the validation loss no longer falls; keep the best weights (Prechelt 1998)."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from warmstart.base.errors import WarmstartError
from warmstart.tune.job import Guard, Job


@dataclass
class EarlyStop(Guard):
    """The best weights of all phases are kept; those of an untrained network are none of them."""

    mitigates = "overfitting"
    patience: int = 5
    best: float | None = field(default=None, init=False)
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
        if job.phase != self.phase:
            self.phase, self.waited = job.phase, 0
        if self.best is None or scores["validation_loss"] < self.best:
            self.best, self.waited, self.weights = scores["validation_loss"], 0, job.weights()
            return
        self.waited += 1
        if self.waited >= self.patience:
            job.stop = True

    def finish(self, job: Job) -> None:
        job.set_weights(self.weights)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        return {"best": self.best, "waited": self.waited, "phase": self.phase}, self.weights

    def restore(self, numbers: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.best, self.waited, self.phase = numbers["best"], numbers["waited"], numbers["phase"]
        self.weights = tensors


GUARD = EarlyStop
