"""Judge one candidate: all scores on the same folds, the probe after each layer group, or why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Candidate
from warmstart.select.scores import SCORES
from warmstart.select.scores._scoring import Folds, Scoring

PROBE = "logistic_probe"
AVERAGE = "average"  # key of the layer average among a candidate's features
ROUGH = 1e-3  # tolerance of the depth probes, which are compared with each other alone

Features = Mapping[str, NDArray[np.floating]]  # layer group -> N x D pooled features after it


@dataclass(frozen=True, eq=False)  # holds arrays: the same only as itself
class Judged:
    """What is known of a candidate before it has a place. `fault` says why nothing is."""

    candidate: Candidate
    scorings: dict[str, Scoring] = field(default_factory=dict)  # by name of the score
    depths: dict[str, float] = field(default_factory=dict)
    fault: str = ""
    skipped: tuple[str, ...] = ()  # layer groups without a depth, and why


def judge(
    candidate: Candidate, features: Features, labels_N: NDArray[np.int64], folds: Folds, scores: Sequence[str]
) -> Judged:
    """Score the layer average if there is one, else the last group; the probe also after each group.

    The depths use the penalty that the probe chose for the scored features (the median over folds): a group
    that needs a stronger one can fall below the class frequencies.
    """
    scored_ND = features.get(AVERAGE, list(features.values())[-1])
    fault = fault_of(scored_ND)
    if fault:
        return Judged(candidate, fault=fault)
    scorings = {name: SCORES.get(name)().score(scored_ND, labels_N, folds) for name in scores}
    probe = SCORES.get(PROBE)(penalties=(scorings[PROBE].chosen["C"],), tolerance=ROUGH)
    groups = {name: group_ND for name, group_ND in features.items() if name != AVERAGE}
    faults = {name: fault_of(group_ND) for name, group_ND in groups.items()}
    depths = {
        name: float(probe.answers(group_ND, labels_N, folds)[0].mean())
        for name, group_ND in groups.items()
        if not faults[name]
    }
    skipped = tuple(f"{name}: {fault}" for name, fault in faults.items() if fault)
    return Judged(candidate, scorings, depths, skipped=skipped)


def fault_of(features_ND: NDArray[np.floating]) -> str:
    """Why these features cannot be scored, or nothing."""
    wide_ND = features_ND.astype(np.float64)  # half precision would overflow below
    bad = int((~np.isfinite(wide_ND)).sum())
    if bad:
        return f"{bad:,} of {wide_ND.size:,} feature values are not finite"
    with np.errstate(over="ignore"):
        if not np.isfinite(np.square(wide_ND).sum()):
            return f"feature values up to {np.abs(wide_ND).max():.0e} are too large to calculate with"
    return "" if np.ptp(wide_ND, axis=0).any() else "the features are the same for all rows"
