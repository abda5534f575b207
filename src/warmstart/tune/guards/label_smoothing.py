"""Label smoothing: a little of each row's certainty goes to all classes (Szegedy et al. 2016, arXiv
1512.00567).

Answers become less sure than they are right. Features that will be used for something else are better
without it (Kornblith et al. 2021, arXiv 2010.16402).
"""

from dataclasses import dataclass, replace

from warmstart.tune.batch import Batch
from warmstart.tune.guards._shares import shares
from warmstart.tune.guards._start import check
from warmstart.tune.job import Guard, Job


@dataclass
class LabelSmoothing(Guard):
    """Each row is (1 - share) of its class and share / C of each of the C classes, in all steps.

    A head that is solved is solved for plain labels, and the validation loss is of plain labels.
    """

    mitigates = "overfitting"
    share: float = 0.1  # called epsilon in the paper

    def __post_init__(self) -> None:
        check("label_smoothing", "share", self.share, 0 <= self.share < 1, "write a share from 0 to below 1")

    def change(self, job: Job, batch: Batch) -> Batch:
        shares_BC = shares(job, batch.targets)
        return replace(batch, targets=(1 - self.share) * shares_BC + self.share / shares_BC.shape[1])


GUARD = LabelSmoothing
