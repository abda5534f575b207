"""How good one model's frozen features are, by the ranking's own probe: the same rows, folds and interval."""

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Measure
from warmstart.select.judge import AVERAGE, PROBE, Features, fault_of
from warmstart.select.scores import SCORES
from warmstart.select.scores._asks import ANSWERS
from warmstart.select.scores._scoring import make_folds, of_rows
from warmstart.select.unscored import too_few


def probe_accuracy(
    features: Features,
    labels_N: NDArray[np.int64],
    groups_N: NDArray[np.generic] | None = None,
    seed: int = 0,
) -> Measure | None:
    """Out-of-fold accuracy of a linear probe; None where these rows or features allow none."""
    if too_few(labels_N):
        return None
    groups = [group_ND for name, group_ND in features.items() if name != ANSWERS]
    scored_ND = features.get(AVERAGE, groups[-1])
    if fault_of(scored_ND):
        return None
    folds = make_folds(labels_N, groups_N, seed)
    _, hits_N, _ = SCORES.get(PROBE)().answers(scored_ND, labels_N, folds)
    found = of_rows(hits_N, hits_N, folds)
    return Measure("accuracy", found.value, found.low, found.high, folds.rows, found.how)
