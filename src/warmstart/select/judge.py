"""Judge one candidate: all scores on the same folds, the probe after each layer group, or why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Candidate
from warmstart.select.scores import SCORES
from warmstart.select.scores._asks import ANSWERS, is_relative, reads
from warmstart.select.scores._scoring import Folds, Parts, Scoring

PROBE = "logistic_probe"
AVERAGE = "average"  # key of the layer average among a candidate's features
ROUGH = 1e-3  # tolerance of the depth probes, which are compared with each other alone

NO_HEAD = "it has no trained head"
ALONE = "it is relative, and no other candidate could be scored"

# Layer group -> N x D pooled features after it; under "answers" N x S probabilities of a trained head.
Features = Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True, eq=False)  # holds arrays: the same only as itself
class Judged:
    """What is known of a candidate before it has a place. `fault` says why nothing is."""

    candidate: Candidate
    scorings: dict[str, Scoring] = field(default_factory=dict)  # by name of the score
    parts: dict[str, Parts] = field(default_factory=dict)  # of relative scores, until the others are known
    absent: dict[str, str] = field(default_factory=dict)  # scores that cannot be had, and why
    depths: dict[str, float] = field(default_factory=dict)
    fault: str = ""
    skipped: tuple[str, ...] = ()  # layer groups without a depth, and why


def judge(
    candidate: Candidate,
    features: Features,
    labels_N: NDArray[np.int64],
    folds: Folds,
    scores: Sequence[str],
    rough: bool = False,
) -> Judged:
    """Score the layer average if there is one, else the last group; the probe also after each group.

    A `rough` judgement has no depths, and its probe is as exact as single precision.
    The depths use the penalty that the probe chose for the scored features (the median over folds): a group
    that needs a stronger one can fall below the class frequencies. A group that was scored is not probed
    again. Relative scores wait for `compare`.
    """
    groups = {name: group_ND for name, group_ND in features.items() if name not in (AVERAGE, ANSWERS)}
    scored_ND = features.get(AVERAGE, list(groups.values())[-1])
    fault = fault_of(scored_ND)
    if fault:
        return Judged(candidate, fault=fault)
    judged = Judged(candidate)
    for name in scores:
        judged = with_score(judged, name, scored_ND, features.get(ANSWERS), labels_N, folds, rough)
    if rough:
        return judged
    known, chosen = judged.scorings[PROBE].value, judged.scorings[PROBE].chosen["C"]
    probe = SCORES.get(PROBE)(penalties=(chosen,), tolerance=ROUGH)
    faults = {name: fault_of(group_ND) for name, group_ND in groups.items()}
    found = {
        name: known if group_ND is scored_ND else float(probe.answers(group_ND, labels_N, folds)[0].mean())
        for name, group_ND in groups.items()
        if not faults[name]
    }
    skipped = tuple(f"{name}: {fault}" for name, fault in faults.items() if fault)
    return replace(judged, depths=found, skipped=skipped)


def with_score(
    judged: Judged,
    name: str,
    features_ND: NDArray[np.floating],
    answers_NS: NDArray[np.floating] | None,
    labels_N: NDArray[np.int64],
    folds: Folds,
    rough: bool = False,
) -> Judged:
    """The same with one more score, or why it cannot be had."""
    score = SCORES.get(name)(tolerance=ROUGH) if rough and name == PROBE else SCORES.get(name)()
    given = answers_NS if reads(score) == ANSWERS else features_ND
    why = NO_HEAD if given is None else "" if np.isfinite(given).all() else "its answers are not finite"
    if why or given is None:
        return replace(judged, absent={**judged.absent, name: why})
    if is_relative(score):
        return replace(judged, parts={**judged.parts, name: score.parts(given, labels_N, folds)})
    return replace(judged, scorings={**judged.scorings, name: score.score(given, labels_N, folds)})


def compare(judged: Sequence[Judged]) -> list[Judged]:
    """The same with their relative scores, which take at least two candidates."""
    done = list(judged)
    for name in dict.fromkeys(name for j in judged for name in j.parts):
        pool = [place for place, j in enumerate(judged) if name in j.parts]
        if len(pool) < 2:
            done[pool[0]] = replace(done[pool[0]], absent={**done[pool[0]].absent, name: ALONE})
            continue
        for place, found in zip(pool, _together(name, [judged[i].parts[name] for i in pool]), strict=True):
            done[place] = replace(done[place], scorings={**done[place].scorings, name: found})
    return done


def _together(name: str, pool: Sequence[Parts]) -> list[Scoring]:
    score: Any = SCORES.get(name)()
    found: list[Scoring] = score.together(pool)
    return found


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
