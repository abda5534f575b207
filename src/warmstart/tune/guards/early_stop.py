"""Stop when the validation loss no longer falls; keep the best weights (Prechelt 1998), if they are best.

The lowest of many looks at few rows is low by chance, and weights in the midst of a schedule are worse than
at its end, where the rate has come down. So an earlier look is believed only where it is better by more
than the rows' noise (`sure`); measured on 50 to 200 rows in EXPERIMENTS.md, section 15.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, sqrt
from typing import Any

from torch import Tensor

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.tasks._task import Look
from warmstart.tune.guards._start import check, has_fresh_head
from warmstart.tune.job import Guard, Job
from warmstart.tune.prechelt import CRITERIA, stops

TIE = 1e-6  # weight of the loss where accuracies are the same
NUMBERS = ("best", "low", "last", "waited", "phase", "kept", "looks")
JUDGED = ("loss", "accuracy")
ROWS = "rows of "  # before the name of a look among the tensors: how each row fared there


@dataclass
class EarlyStop(Guard):
    """The best weights of all phases are kept; those of an untrained network or head are none of them.

    The best have the lowest validation loss. With `sure` above 0 the last are kept instead, unless the best
    are better by so many standard errors of the rows' paired differences, and only looks that are worse by as
    much count towards `patience`. Fresh weights are judged by accuracy, whatever `sure` is: they grow sure
    of themselves long before they are good, so that their loss rises while they still learn.
    """

    mitigates = "overfitting"
    patience: int = 5  # looks without a gain on the lowest loss of the phase
    sure: float = 0.0  # standard errors by which an earlier look must be better than the last
    on: str = "loss"  # what is judged: "loss" or "accuracy", and of equal accuracies the loss
    criterion: str = "none"  # "GL", "PQ" or "UP", beside patience
    alpha: float = 5.0  # GL: per cent; PQ: per cent a thousandth of progress; UP: strips in a row
    strip: int = 5  # epochs: called k in the paper
    best: float | None = field(default=None, init=False)  # of all phases
    low: float | None = field(default=None, init=False)  # of this phase, what it began with included
    last: float | None = field(default=None, init=False)
    waited: int = field(default=0, init=False)
    phase: int = field(default=0, init=False)
    kept: int = field(default=0, init=False)  # number of the best look among all
    looks: int = field(default=0, init=False)
    weights: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)
    rows: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)  # "best", "low", "last"

    def __post_init__(self) -> None:
        check("early_stop", "patience", self.patience, self.patience >= 1, "write a number from 1")
        check("early_stop", "sure", self.sure, 0 <= self.sure < inf, "write a number from 0")
        check("early_stop", "alpha", self.alpha, 0 < self.alpha < inf, "write a number above 0")
        check("early_stop", "strip", self.strip, self.strip >= 1, "write a whole number from 1")
        for name, words in (("on", JUDGED), ("criterion", CRITERIA)):
            value = getattr(self, name)
            if value not in words:
                wrong = f"guard 'early_stop': {name} = {value!r}"
                raise WarmstartError(wrong, did_you_mean(value, words), "wrong-value")

    def watch(self, job: Job, scores: dict[str, float]) -> None:
        self.looks = len(job.history)
        if not job.steps and (not job.plan.pretrained or has_fresh_head(job)):
            return
        loss = self.judged(job, scores)
        if self.sure and job.plan.pretrained and job.looked is not None:
            self.rows["last"] = rows_of(job.looked, self.on)
        if job.phase != self.phase:
            self.phase, self.waited, self.low = job.phase, 0, self.last
            self.note("low", self.rows.get("before"))
        if self.low is None or loss < self.low:
            self.waited, self.low = 0, loss
            self.note("low", self.rows.get("last"))
        elif self.clearly("low"):
            self.waited += 1
        else:
            self.waited = 0
        self.last = loss
        self.note("before", self.rows.get("last"))
        if self.best is None or loss < self.best:
            self.best, self.weights, self.kept = loss, job.weights(), len(job.history) - 1
            self.note("best", self.rows.get("last"))
        if self.waited >= self.patience or self.criterion_stops(job):
            job.stop = True

    def criterion_stops(self, job: Job) -> bool:
        """Does the criterion end this phase, after an epoch of steps?"""
        if self.criterion == "none":
            return False
        looks = [x for x in job.history if x["phase"] == job.phase + 1 and x["train_loss"] is not None]
        validation, training = [self.judged(job, x) for x in looks], [x["train_loss"] for x in looks]
        return bool(looks) and stops(self.criterion, self.alpha, self.strip, validation, training)

    def judged(self, job: Job, scores: Mapping[str, float]) -> float:
        """What is to be low."""
        if job.plan.pretrained and self.on == "loss":
            return scores["validation_loss"]
        return 1 - scores["validation_accuracy"] + TIE * scores["validation_loss"]

    def note(self, name: str, rows_N: Tensor | None) -> None:
        if rows_N is not None:
            self.rows[name] = rows_N

    def clearly(self, name: str) -> bool:
        """Was that look better than the last by more than the rows' noise? Always, where no rows are kept."""
        if not {name, "last"} <= set(self.rows):
            return True
        worse_N = self.rows["last"] - self.rows[name]
        n = len(worse_N)
        return n > 1 and float(worse_N.mean()) > self.sure * float(worse_N.std()) / sqrt(n)

    def finish(self, job: Job) -> None:
        if job.exploded == len(job.plan.phases) or self.clearly("best"):
            job.set_weights(self.weights)
            job.proofs["kept_look"] = self.kept
        else:
            job.proofs["kept_look"] = self.looks - 1

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        rows = {f"{ROWS}{name}": rows_N.clone() for name, rows_N in self.rows.items()}  # one look, many names
        return {name: getattr(self, name) for name in NUMBERS}, {**self.weights, **rows}

    def restore(self, numbers: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        for name in NUMBERS:
            setattr(self, name, numbers[name])
        self.rows = {n.removeprefix(ROWS): t for n, t in tensors.items() if n.startswith(ROWS)}
        self.weights = {n: t for n, t in tensors.items() if not n.startswith(ROWS)}


def rows_of(look: Look, on: str) -> Tensor:
    """N: what is to be low, of each row in double precision."""
    return look.losses_N if on == "loss" else (look.answers_N - look.right_N.long()).double()


GUARD = EarlyStop
