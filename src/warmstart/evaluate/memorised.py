"""Does a model know its training rows by heart? A row's loss is asked whether the row was learned from.

Membership inference by a threshold on the loss (Yeom et al. 2018, arXiv 1709.01604), as the area under the
ROC curve: 0.5 where losses of training and test rows are alike, 1 where each training row has a lower loss
than every test row. Both sides have as many rows of each class, for classes differ in their losses.
"""

import numpy as np
from numpy.typing import NDArray

from warmstart.base.seeds import generator
from warmstart.base.types import Measure, Predictions, Run
from warmstart.evaluate.metrics.log_loss import LogLoss
from warmstart.evaluate.ranks import auc, auc_interval

NAME = "membership by loss"


def membership(run: Run, seed: int = 0) -> Measure | None:
    """The area with its interval; None where no class has rows on both sides."""
    if "train" not in run.predictions or "test" not in run.predictions:
        return None
    train, test = run.predictions["train"], run.predictions["test"]
    ours, theirs = alike(train, test, seed)
    if not len(ours):
        return None
    area, variance = auc(losses(train, ours), losses(test, theirs))
    low, high = auc_interval(area, variance, len(ours))
    how = f"DeLong; {len(ours):,} training and {len(theirs):,} test rows, as many of each class"
    return Measure(NAME, area, min(low, area), max(high, area), len(ours), how)


def alike(train: Predictions, test: Predictions, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places on both sides: of each class as many as the side with fewer of them has, drawn by chance."""
    rng = generator(seed, "membership")
    ours, theirs = [], []
    for label in np.unique(train.truth):
        mine, others = (np.flatnonzero(side.truth == label) for side in (train, test))
        few = min(len(mine), len(others))
        ours.append(rng.permutation(mine)[:few])
        theirs.append(rng.permutation(others)[:few])
    return np.sort(np.concatenate(ours)), np.sort(np.concatenate(theirs))


def losses(said: Predictions, places: NDArray[np.int64]) -> NDArray[np.float64]:
    return LogLoss().rows(said.truth[places], said.probabilities[places])
