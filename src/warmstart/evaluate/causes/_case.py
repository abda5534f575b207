"""What a cause may look at: a run with a gap, the runs beside it, and what is known of the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from warmstart.base.probed import LabelBudget
from warmstart.base.types import Finding, Measure, Onset, Plan, Predictions, Run
from warmstart.evaluate.compare import paired, samples
from warmstart.evaluate.metrics.log_loss import LogLoss
from warmstart.evaluate.roles import head_alone

NATS = LogLoss()
SCARCE = 10.0  # rows of the median class
FROZEN = "frozen"  # name of the rival that learns a head alone


@dataclass(frozen=True)
class Case:
    """A run that does better on its training rows than on the test rows by `gap` of accuracy."""

    run: Run
    gap: Measure
    rows: int  # that it learned from
    per_class: float  # rows of the median class among them
    onset: Onset | None = None
    others: Mapping[str, Run] = field(default_factory=dict)  # runs on the same rows, by name
    findings: tuple[Finding, ...] = ()
    looked: int = 0  # training rows that a check of labels looked at; 0: all
    labels: LabelBudget | None = None  # where the worth of more labels was asked for
    usual: Plan | None = None  # what the rule makes of the same strategy here

    def loss(self, split: str) -> float:
        """The run's log-loss on a split, nats."""
        said = self.run.predictions[split]
        return NATS.measure(said.truth, said.probabilities)

    @cached_property
    def loss_gap(self) -> float:
        """Test minus train log-loss, nats."""
        return self.loss("test") - self.loss("train")

    @cached_property
    def scarcity(self) -> float:
        """0 where labels are plenty, towards 1 where they are few; one half at SCARCE rows a class."""
        return SCARCE / (SCARCE + self.per_class)

    @cached_property
    def frozen_ahead(self) -> Measure | None:
        """Log-loss of the run minus that of its frozen rival on the same validation rows, paired, nats.

        None where there is no such rival, or where the run learns no more than a head itself.
        """
        rival = self.others.get(FROZEN)
        more_learns = any(not head_alone(phase) for phase in self.run.plan.phases)
        if rival is None or not more_learns or "validation" not in rival.predictions:
            return None
        said = {"ours": self.run.predictions["validation"], "theirs": rival.predictions["validation"]}
        if not len(said["ours"].rows) or not np.array_equal(said["ours"].rows, said["theirs"].rows):
            return None
        found = samples(said, {"log_loss": NATS}, 0, "validation")
        return paired(found["ours", "log_loss"], found["theirs", "log_loss"])[0]

    def found(self, check: str) -> Finding | None:
        """What a check of the data found, if it did."""
        return next((finding for finding in self.findings if finding.check == check), None)


def accuracy(said: Predictions) -> float:
    return float((said.answers == said.truth).mean())
