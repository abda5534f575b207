"""FLOW: rows that the start already does well count more, so that less has to change (Sanyal et al. 2025,
"Upweighting easy samples in fine-tuning mitigates forgetting", arXiv 2502.02797).
"""

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from warmstart.tune.batch import Batch
from warmstart.tune.guards._start import body_learns, knowing_head
from warmstart.tune.job import Guard, Job
from warmstart.tune.looks import look_at_all


@dataclass
class Flow(Guard):
    """The loss of row i is multiplied by exp(-l_i / tau): l_i is its loss at the start, tau their median.

    The start is the model as it stands before the body first learns; a head that is still fresh then is
    replaced by a linear probe for this question, as in the paper. Until then all rows count alike. The mean
    loss is over all rows, not over weights, as in the authors' code.
    """

    mitigates = "forgetting"
    by_row = True
    losses_N: Tensor | None = field(default=None, init=False, repr=False)  # of the training rows

    def enter(self, job: Job) -> None:
        if self.losses_N is None and body_learns(job):
            with knowing_head(job, "flow"):
                self.losses_N = look_at_all(job, job.splits["train"], 0).losses_N

    def change(self, job: Job, batch: Batch) -> Batch:
        if self.losses_N is None:
            return batch
        tau = float(self.losses_N.quantile(0.5)) or torch.finfo(torch.float64).tiny
        weights_B = (-self.losses_N[torch.from_numpy(batch.rows)] / tau).exp().float().to(job.device)
        return replace(batch, weights_B=weights_B * (1 if batch.weights_B is None else batch.weights_B))

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        return {}, {} if self.losses_N is None else {"losses": self.losses_N}

    def restore(self, numbers: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.losses_N = tensors.get("losses")


GUARD = Flow
