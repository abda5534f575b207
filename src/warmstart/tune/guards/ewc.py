"""EWC: hold each weight as fast as the old answers hang on it (Kirkpatrick et al. 2017, arXiv 1612.00796)."""

from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import generator
from warmstart.models.anatomy import Anatomy
from warmstart.models.inputs import Inputs
from warmstart.tune.fisher import EXACT, diagonal
from warmstart.tune.guards._start import Pairs, body, body_learns, check, knowing_head
from warmstart.tune.job import Guard, Job


@dataclass
class Ewc(Guard):
    """Adds weight/2 * sum of F * (w - start)^2 over the body to the mean loss; F has the mean 1.

    F is the diagonal of the Fisher information, by the answers of the source's own head where it has a
    trained one that fits, on rows to remember, else on training rows: then it holds what the source knew. A
    source without such a head is asked through the new head as it stands before the body first learns, or
    through a linear probe where that is fresh: then F only says which weights the start needs for these
    classes, and that is told. Papers' weights do not carry over: they stand before matrices of other sizes.
    Adapters and the head are not held.
    """

    mitigates = "forgetting"
    remembers = True
    weight: float = 1.0
    rows: int = 200  # that tell what hangs on what, drawn at random where there are more
    pairs: Pairs = field(default_factory=dict, init=False, repr=False)
    fisher: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check("ewc", "weight", self.weight, 0 <= self.weight < inf, "write a number from 0")
        check("ewc", "rows", self.rows, self.rows >= 1, "write a whole number from 1")

    def begin(self, job: Job) -> None:
        self.pairs = body(job, "ewc")

    def enter(self, job: Job) -> None:
        if self.fisher or not self.pairs or not body_learns(job):
            return
        retained = job.retained
        if retained is not None and retained.fits(job.anatomy):
            rows = retained.split or job.splits["train"]
            found = self.asked(job, retained.source, rows.inputs)
        else:
            what = "the model has no trained head of its own that fits; weights are held for the new classes"
            job.tell({"event": "note", "what": f"ewc: {what}"})
            with knowing_head(job, "ewc"):
                found = self.asked(job, job.anatomy, job.splits["train"].inputs)
        job.crew.hand_out(list(found.values()))
        self.fisher = with_mean_one(found)

    def asked(self, job: Job, anatomy: Anatomy, inputs: Inputs) -> dict[str, Tensor]:
        """The diagonal of this model, for what is held."""
        there: dict[str, nn.Parameter] = dict(anatomy.model.named_parameters())
        names = [n for n, (p, _) in self.pairs.items() if n in there and there[n].shape == p.shape]
        few = np.arange(len(inputs))
        if len(few) > self.rows:
            few = generator(job.plan.seed, "ewc").choice(few, self.rows, replace=False)
        if int(anatomy.model.config.num_labels) > EXACT:  # type: ignore[union-attr, arg-type]
            what = f"ewc: with more than {EXACT} classes the Fisher information is estimated, by random signs"
            job.tell({"event": "note", "what": what})
        found = diagonal(anatomy, inputs, few.tolist(), [there[n] for n in names], job.plan.seed)
        return dict(zip(names, found, strict=True))

    def penalty(self, job: Job) -> Tensor | None:
        terms = [
            (self.fisher[name] * (now - start).square()).sum()
            for name, (now, start) in self.pairs.items()
            if name in self.fisher and now.requires_grad
        ]
        return self.weight / 2 * torch.stack(terms).sum() if terms else None

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        return {}, self.fisher

    def restore(self, numbers: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.fisher = {n: t.to(self.pairs[n][0].device) for n, t in tensors.items()}


def with_mean_one(fisher: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same information, divided by its mean over all weights. WarmstartError if it is nothing."""
    total = sum(float(f.double().sum()) for f in fisher.values())
    if not 0 < total < inf:
        raise WarmstartError(
            "guard 'ewc': the answers do not hang on any weight, or not in numbers that are finite",
            "take the guard out, or look at the model",
            "not-finite",
        )
    mean = total / sum(f.numel() for f in fisher.values())
    return {name: f / mean for name, f in fisher.items()}


GUARD = Ewc
