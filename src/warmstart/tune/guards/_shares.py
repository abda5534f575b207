"""Targets as shares of all classes, where they may be softened and mixed."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from warmstart.tune.job import Job


def shares(job: Job, targets: Tensor) -> Tensor:
    """B x C shares that add up to 1: of class numbers the whole for one class; shares as they are."""
    if targets.is_floating_point():
        return targets
    classes = int(job.anatomy.model.config.num_labels)  # type: ignore[union-attr, arg-type]
    return one_hot(targets, classes).to(torch.float32)
