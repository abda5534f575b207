"""Rank pretrained candidates by how far their frozen features already answer the user's training rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Candidate, Ranking, Scored
from warmstart.select.belief import MARGIN, cost
from warmstart.select.beside import Unaided, beside, no_better_than_baseline
from warmstart.select.explain import (
    absences,
    against_prior,
    beats,
    cautions,
    disagreements,
    no_better_than_floor,
    unusable,
    why_first,
)
from warmstart.select.judge import PROBE, Features, Judged, compare, judge
from warmstart.select.measures import behind, hits, measure
from warmstart.select.scores import SCORES
from warmstart.select.scores._asks import CLASSES, judges
from warmstart.select.scores._scoring import Folds, Scoring, difference, make_folds
from warmstart.select.sift import Parted
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
    pace: Mapping[str, float] = {},
    seed: int = 0,
    unaided: Unaided | None = None,
    parted: Sequence[Parted] = (),
) -> Ranking:
    """Candidates from best to worst, all on the same folds of the same rows.

    `features` maps a candidate's source to its layer groups, from input to head, each with the pooled N x D
    features after it; where there is a key "average" that is scored, otherwise the last group is. `seconds`
    maps a source to what its features cost, `pace` to what 1,000 rows of them do. The order is that of
    `place`; candidates with unusable features (not finite, or the same for all rows) come last, with the
    score of class frequencies and n = 0. Before them, in the order of `blind_places`, come those that `score`
    says nothing of: it reads a trained head, under the key "answers", that they lack. `unaided` is measured
    on the same folds, and never ranked; `parted` are candidates that fewer rows showed to be behind, which
    follow the others. Where the median class has a single row nothing can be scored, and
    the order is that of `blind_places`.
    Raises WarmstartError if there is nothing to rank: no candidates or no usable features, fewer than two
    classes, rows or groups.
    """
    _check(candidates, labels_N)
    _fits(score)
    places = blind_places([*candidates, *(one.scored.candidate for one in parted)])
    if too_few(labels_N):
        return unscored(candidates, places, labels_N, score, seconds, pace)
    folds = make_folds(labels_N, groups_N, seed)
    names = tuple(dict.fromkeys((score, *opinions, PROBE)))
    floor = SCORES.get(PROBE)().score(np.zeros((folds.rows, 1)), labels_N, folds)
    judged = compare([judge(c, features[c.source], labels_N, folds, names) for c in candidates])
    ranked = place([j for j in judged if score in j.scorings], score, floor, folds)
    _refuse_none(judged, ranked, score)
    unplaced = [j for j in judged if not j.fault and score not in j.scorings]
    unplaced.sort(key=lambda j: places[j.candidate.source])
    baseline = beside(unaided, ranked[0], folds) if unaided else None
    reasons = chain(
        (one.why for one in parted),
        [why_first(ranked, score, folds, floor, len(parted))],
        cautions(score),
        against_prior([*ranked, *(Judged(one.scored.candidate) for one in parted), *unplaced], places),
        disagreements(ranked, opinions, folds),
        no_better_than_floor([*ranked, *unplaced], floor, folds),
        no_better_than_baseline(ranked, baseline),
        absences(judged, score),
        unusable(judged),
    )
    least = floor if score == PROBE else min((j.scorings[score] for j in ranked), key=lambda s: s.value)
    scored = tuple(
        Scored(
            candidate=j.candidate,
            score=measure(score, j, j.scorings.get(score, least), folds, score in j.scorings),
            opinions={name: j.scorings[name].value for name in opinions if name in j.scorings},
            accuracy=measure(
                "accuracy", j, hits(j.scorings.get(PROBE, floor), folds), folds, PROBE in j.scorings
            ),
            depths=j.depths,
            seconds=seconds[j.candidate.source],
            prior=places[j.candidate.source],
            pace=pace.get(j.candidate.source, 0.0),
            behind=behind(j, ranked, score, folds),
        )
        for j in [*ranked, *unplaced, *(j for j in judged if j.fault)]
    )
    behind_them = [replace(one.scored, prior=places[one.scored.candidate.source]) for one in parted]
    whole = (*scored[: len(ranked)], *behind_them, *scored[len(ranked) :])
    return Ranking(score, whole, tuple(reasons), baseline)


def place(judged: list[Judged], score: str, floor: Scoring, folds: Folds) -> list[Judged]:
    """First the smallest of those that are as good as the best, then all others by their score.

    Who is first is a decision, in which a small model counts; who follows is a measurement. As good are those
    that the rows cannot tell from the best (a paired 95 % interval of the difference that holds 0) and that
    are expected to cost less than MARGIN in accuracy. A candidate that is not shown to beat the class
    frequencies is never tied with one that is: size alone does not recommend.
    """
    if not judged:
        return []
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
        and cost(j, leader, folds) < MARGIN
    ]
    first = min(tied, key=lambda j: j.candidate.parameters)
    return [first, *(j for j in best_first if j is not first)]


def blind_places(candidates: Sequence[Candidate]) -> dict[str, int]:
    """Source -> place (1 is best) without a look at the data: published accuracy, then number of parameters.

    The accuracy counts where at least two candidates have one; those without one follow.
    """
    known = [c.source_accuracy for c in candidates if c.source_accuracy is not None]

    def key(candidate: Candidate) -> tuple[float, int, str]:
        accuracy = candidate.source_accuracy if len(known) > 1 else None
        return -(accuracy or 0.0), -candidate.parameters, candidate.source

    return {c.source: number for number, c in enumerate(sorted(candidates, key=key), start=1)}


def _fits(name: str) -> None:
    """Refuse a score of other things than classes."""
    kind = judges(SCORES.get(name)())
    if kind != CLASSES:
        raise WarmstartError(
            f"score {name} judges {kind}, and these rows have classes",
            f"choose one of {', '.join(n for n in SCORES.names() if judges(SCORES.get(n)) == CLASSES)}",
            "unfit-score",
        )


def _refuse_none(judged: Sequence[Judged], ranked: Sequence[Judged], score: str) -> None:
    if ranked:
        return
    usable = [j for j in judged if not j.fault]
    if not usable:
        raise WarmstartError(
            f"{judged[0].candidate.name}: {judged[0].fault}", "choose other candidates", "no-usable-candidate"
        )
    raise WarmstartError(
        f"score {score} can be had of no candidate: {usable[0].candidate.name}: {usable[0].absent[score]}",
        f"choose another score, for example {PROBE}, or other candidates",
        "no-usable-candidate",
    )


def check_candidates(candidates: Sequence[Candidate]) -> None:
    if not candidates:
        raise WarmstartError("there is no candidate to rank", "name at least one", "no-candidate")
    sources = [c.source for c in candidates]
    twice = sorted({s for s in sources if sources.count(s) > 1})
    if twice:
        raise WarmstartError(f"candidate {twice[0]!r} is given twice", "give it once", "same-candidate-twice")


def _check(candidates: Sequence[Candidate], labels_N: NDArray[np.int64]) -> None:
    check_candidates(candidates)
    classes = np.unique(labels_N)
    if len(classes) < 2:
        raise WarmstartError(
            f"all {len(labels_N)} training rows have the same label", "give rows of at least two", "one-class"
        )
