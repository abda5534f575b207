"""Rank pretrained candidates by how far their frozen features already answer the user's training rows."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Candidate, Measure, Ranking, Scored
from warmstart.select.beside import Unaided, beside, no_better_than_baseline
from warmstart.select.explain import (
    against_prior,
    beats,
    disagreements,
    no_better_than_floor,
    unusable,
    why_first,
)
from warmstart.select.judge import PROBE, Features, Judged, judge
from warmstart.select.scores import SCORES
from warmstart.select.scores._scoring import Folds, Scoring, difference, make_folds, of_rows
from warmstart.select.unscored import too_few, unscored


def rank(
    candidates: Sequence[Candidate],
    features: Mapping[str, Features],
    labels_N: NDArray[np.int64],
    *,
    groups_N: NDArray[np.generic] | None = None,
    score: str = PROBE,
    opinions: Sequence[str] = ("logme", "knn", "h_score"),
    seconds: Mapping[str, float],
    seed: int = 0,
    unaided: Unaided | None = None,
) -> Ranking:
    """Candidates from best to worst, all on the same folds of the same rows.

    `features` maps a candidate's source to its layer groups, from input to head, each with the pooled N x D
    features after it; where there is a key "average" that is scored, otherwise the last group is. `seconds`
    maps a source to what its features cost. The order is that of `place`; candidates with unusable features
    (not finite, or the same for all rows) come last, with the score of class frequencies and n = 0.
    `unaided` is measured on the same folds, and never ranked. Where the median class has a single row nothing
    can be scored, and the order is that of `blind_places`.
    Raises WarmstartError if there is nothing to rank: no candidates or no usable features, fewer than two
    classes, rows or groups.
    """
    _check(candidates, labels_N)
    places = blind_places(candidates)
    if too_few(labels_N):
        return unscored(candidates, places, labels_N, score, seconds)
    folds = make_folds(labels_N, groups_N, seed)
    names = tuple(dict.fromkeys((score, *opinions, PROBE)))
    floors = {name: SCORES.get(name)().score(np.zeros((folds.rows, 1)), labels_N, folds) for name in names}
    judged = [judge(c, features[c.source], labels_N, folds, names) for c in candidates]
    usable = [j for j in judged if not j.fault]
    if not usable:
        raise WarmstartError(
            f"{judged[0].candidate.name}: {judged[0].fault}", "choose other candidates", "no-usable-candidate"
        )
    ranked = place(usable, score, floors[PROBE], folds, opinions)
    baseline = beside(unaided, ranked[0], folds) if unaided else None
    reasons = chain(
        [why_first(ranked, score, folds)],
        against_prior(ranked, places),
        disagreements(ranked, opinions, folds),
        no_better_than_floor(ranked, floors[PROBE], folds),
        no_better_than_baseline(ranked, baseline),
        unusable(judged),
    )
    scored = tuple(
        Scored(
            candidate=j.candidate,
            score=_measure(score, j, j.scorings.get(score, floors[score]), folds),
            opinions={name: j.scorings[name].value for name in opinions if not j.fault},
            accuracy=_measure("accuracy", j, _hits(j.scorings.get(PROBE, floors[PROBE]), folds), folds),
            depths=j.depths,
            seconds=seconds[j.candidate.source],
            prior=places[j.candidate.source],
        )
        for j in [*ranked, *(j for j in judged if j.fault)]
    )
    return Ranking(score, scored, tuple(reasons), baseline)


def place(
    judged: Sequence[Judged], score: str, floor: Scoring, folds: Folds, opinions: Sequence[str] = ()
) -> list[Judged]:
    """Best score first, but where the rows cannot tell candidates from the best, the smallest of them first.

    Such a tie is a paired 95 % interval of the difference from the best that holds 0. A candidate that is
    not shown to beat the class frequencies is never tied with one that is: size alone does not recommend.
    Nor is one that every second opinion puts behind the best as well.
    """
    best_first = sorted(
        judged, key=lambda j: (-j.scorings[score].value, j.candidate.parameters, j.candidate.source)
    )
    leader = best_first[0]
    counts = not beats(leader, floor, folds)
    tied = [
        j
        for j in best_first
        if difference(leader.scorings[score], j.scorings[score], folds)[1] <= 0
        and (counts or beats(j, floor, folds))
        and not all_prefer(leader, j, opinions)
    ]
    smallest_first = sorted(tied, key=lambda j: j.candidate.parameters)
    return smallest_first + [j for j in best_first if j not in tied]


def all_prefer(one: Judged, other: Judged, opinions: Sequence[str]) -> bool:
    """Do all second opinions, of which there is one at least, score the one above the other?"""
    return bool(opinions) and all(one.scorings[o].value > other.scorings[o].value for o in opinions)


def blind_places(candidates: Sequence[Candidate]) -> dict[str, int]:
    """Source -> place (1 is best) without a look at the data: published accuracy, then number of parameters.

    The accuracy counts where at least two candidates have one; those without one follow.
    """
    known = [c.source_accuracy for c in candidates if c.source_accuracy is not None]

    def key(candidate: Candidate) -> tuple[float, int, str]:
        accuracy = candidate.source_accuracy if len(known) > 1 else None
        return -(accuracy or 0.0), -candidate.parameters, candidate.source

    return {c.source: number for number, c in enumerate(sorted(candidates, key=key), start=1)}


def _measure(name: str, judged: Judged, scoring: Scoring, folds: Folds) -> Measure:
    if judged.fault:
        return Measure(name, scoring.value, scoring.value, scoring.value, 0, f"not measured: {judged.fault}")
    return Measure(name, scoring.value, scoring.low, scoring.high, folds.rows, scoring.how)


def _hits(probe: Scoring, folds: Folds) -> Scoring:
    """The accuracy of the probe as a Scoring of its own."""
    assert probe.hits_N is not None
    return of_rows(probe.hits_N, probe.hits_N, folds)


def _check(candidates: Sequence[Candidate], labels_N: NDArray[np.int64]) -> None:
    if not candidates:
        raise WarmstartError("there is no candidate to rank", "name at least one", "no-candidate")
    sources = [c.source for c in candidates]
    twice = sorted({s for s in sources if sources.count(s) > 1})
    if twice:
        raise WarmstartError(f"candidate {twice[0]!r} is given twice", "give it once", "same-candidate-twice")
    classes = np.unique(labels_N)
    if len(classes) < 2:
        raise WarmstartError(
            f"all {len(labels_N)} training rows have the same label", "give rows of at least two", "one-class"
        )
