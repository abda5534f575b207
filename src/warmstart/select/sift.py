"""Few rows first: what these show to be behind is not read on more (successive halving over rows).

Jamieson and Talwalkar 2016, arXiv 1502.07943, but that nobody is dropped without being shown to be worse:
the paired 95 % interval of its difference from the best of the stage must exclude 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Candidate, Reason, Scored
from warmstart.select.explain import compared
from warmstart.select.judge import PROBE, Features, Judged, compare, judge
from warmstart.select.measures import behind, hits, measure
from warmstart.select.sample import sample_rows
from warmstart.select.scores._scoring import difference, make_folds
from warmstart.select.unscored import too_few

TIMES = 3  # each stage has so many times the rows of the one before
FEWEST = 100  # rows of a stage
PER_CLASS = 10  # and so many for each class
MANY = 3  # candidates from which on it pays


@dataclass(frozen=True)
class Parted:
    """A candidate that a stage showed to be behind: what it scored there, and the reason."""

    scored: Scored
    why: Reason


def stages(
    labels_N: NDArray[np.int64], groups_N: NDArray[np.generic] | None, candidates: int, seed: int = 0
) -> list[NDArray[np.int64]]:
    """Numbers (ascending) of the rows of each stage, each among those of the next; the last has all."""
    found = [np.arange(len(labels_N))]
    fewest = max(FEWEST, PER_CLASS * len(np.unique(labels_N)))
    while candidates >= MANY and len(found[0]) >= TIMES * fewest:
        groups_M = None if groups_N is None else groups_N[found[0]]
        some = sample_rows(labels_N[found[0]], groups_M, len(found[0]) // TIMES, seed)
        if too_few(labels_N[found[0][some]]):
            break
        found.insert(0, found[0][some])
    return found


def part(
    candidates: Sequence[Candidate],
    features: Mapping[str, Features],
    labels_N: NDArray[np.int64],
    groups_N: NDArray[np.generic] | None,
    score: str,
    seconds: Mapping[str, float],
    pace: Mapping[str, float],
    seed: int = 0,
) -> list[Parted]:
    """Those that these rows show to be behind the best of them, best first; no other score is looked at.

    A candidate that `score` says nothing of, or whose features are unusable, is never among them.
    """
    folds = make_folds(labels_N, groups_N, seed, repeats=1)
    names = tuple(dict.fromkeys((score, PROBE)))
    judged = compare([judge(c, features[c.source], labels_N, folds, names, rough=True) for c in candidates])
    able = sorted(
        (j for j in judged if score in j.scorings), key=lambda j: j.scorings[score].value, reverse=True
    )
    lost = [j for j in able if difference(able[0].scorings[score], j.scorings[score], folds)[1] > 0]

    def told(j: Judged) -> Parted:
        source = j.candidate.source
        scored = Scored(
            candidate=j.candidate,
            score=measure(score, j, j.scorings[score], folds, True),
            opinions={},
            accuracy=measure("accuracy", j, hits(j.scorings[PROBE], folds), folds, True),
            depths={},
            seconds=seconds[source],
            prior=0,
            pace=pace.get(source, 0.0),
            behind=behind(j, able, score, folds),
        )
        so = f"{j.candidate.name} is not read on more rows: shown to be behind {able[0].candidate.name}"
        return Parted(scored, Reason(f"{folds.rows:,} rows first", compared(score, able[0], j, folds), so))

    return [told(j) for j in lost]
