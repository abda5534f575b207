"""Too few rows to score candidates: the order that looks at no row, and that it was not measured."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Candidate, Measure, Ranking, Reason, Scored

LEAST = 2  # rows of the median class: with fewer, a row held out leaves its class none to learn from
NOT = "not measured: too few rows of each class"


def too_few(labels_N: NDArray[np.int64]) -> bool:
    """Has more than every other class a single row?"""
    return bool(np.median(np.unique(labels_N, return_counts=True)[1]) < LEAST)


def unscored(
    candidates: Sequence[Candidate],
    places: Mapping[str, int],
    labels_N: NDArray[np.int64],
    score: str,
    seconds: Mapping[str, float],
    pace: Mapping[str, float] = {},
) -> Ranking:
    """The candidates in the order of `places`, without scores; n is 0 where nothing was measured."""
    counts = np.unique(labels_N, return_counts=True)[1]
    ordered = sorted(candidates, key=lambda c: places[c.source])
    scored = tuple(
        Scored(
            c,
            empty(score),
            {},
            empty("accuracy"),
            {},
            seconds[c.source],
            places[c.source],
            pace.get(c.source, 0.0),
        )
        for c in ordered
    )
    saw = f"{len(labels_N):,} rows of {len(counts):,} classes, {np.median(counts):g} in the median class"
    so = (
        f"these rows cannot score candidates, for which {LEAST} of each class are needed: they stand in the "
        f"order that looks at no row (published accuracy, then size), {ordered[0].name} first"
    )
    return Ranking(score, scored, (Reason("score", saw, so),))


def empty(name: str) -> Measure:
    return Measure(name, 0.0, 0.0, 0.0, 0, NOT)
