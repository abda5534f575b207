"""Rank language models by how few bits a byte of the user's texts costs them."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Candidate, Measure, Ranking, Scored
from warmstart.select.explain import against_prior, why_first
from warmstart.select.judge import Judged
from warmstart.select.rank import blind_places, check_candidates
from warmstart.select.scores import SCORES
from warmstart.select.scores._asks import WORDS, judges
from warmstart.select.scores._scoring import Folds, difference, untrained

BITS = "bits_per_byte"


def rank_words(
    candidates: Sequence[Candidate],
    words: Mapping[str, NDArray[np.floating]],
    *,
    groups_N: NDArray[np.generic] | None = None,
    score: str = BITS,
    seconds: Mapping[str, float],
    seed: int = 0,
) -> Ranking:
    """Candidates from best to worst on the same N texts.

    `words` maps a candidate's source to the N x 2 nats and bytes of the texts (`words.words_of`). Of those
    that the texts cannot tell from the best (a paired 95 % interval of the difference that holds 0) the
    smallest is first. Nothing is trained: there are no folds, no depths and no accuracy.
    """
    check_candidates(candidates)
    if judges(SCORES.get(score)) != WORDS:
        raise WarmstartError(f"score {score} judges no texts", f"choose {BITS}", "unfit-score")
    tables = [words[c.source] for c in candidates]
    assert all((table[:, 1] == tables[0][:, 1]).all() for table in tables), "they must read the same texts"
    folds = untrained(len(tables[0]), groups_N, seed)
    nothing_N = np.zeros(folds.rows)
    judged = [
        Judged(c, {score: SCORES.get(score)().score(table, nothing_N, folds)})
        for c, table in zip(candidates, tables, strict=True)
    ]
    places, ranked = blind_places(candidates), in_order(judged, score, folds)
    reasons = chain([why_first(ranked, score, folds)], against_prior(ranked, places))
    scored = (scored_as(j, score, folds, seconds[j.candidate.source], places) for j in ranked)
    return Ranking(score, tuple(scored), tuple(reasons))


def in_order(judged: Sequence[Judged], score: str, folds: Folds) -> list[Judged]:
    """Best first, but of those that are as good the smallest."""
    best_first = sorted(judged, key=lambda j: (-j.scorings[score].value, j.candidate.parameters))
    leader = best_first[0].scorings[score]
    tied = [j for j in best_first if difference(leader, j.scorings[score], folds)[1] <= 0]
    return sorted(tied, key=lambda j: j.candidate.parameters) + [j for j in best_first if j not in tied]


def scored_as(judged: Judged, score: str, folds: Folds, seconds: float, places: Mapping[str, int]) -> Scored:
    found = judged.scorings[score]
    return Scored(
        candidate=judged.candidate,
        score=Measure(score, found.value, found.low, found.high, folds.rows, found.how),
        opinions={},
        accuracy=Measure("accuracy", 0.0, 0.0, 0.0, 0, "not measured: texts have no classes"),
        depths={},
        seconds=seconds,
        prior=places[judged.candidate.source],
    )
