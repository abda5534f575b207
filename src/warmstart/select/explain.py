"""Say why the first candidate is first, and what speaks against it."""

from collections.abc import Iterator, Mapping, Sequence

from warmstart.base.types import Candidate, Reason
from warmstart.select.belief import cost
from warmstart.select.judge import PROBE, Judged
from warmstart.select.scores import SCORES
from warmstart.select.scores._asks import caution
from warmstart.select.scores._scoring import Folds, Scoring, difference


def why_first(
    ranked: Sequence[Judged], score: str, folds: Folds, floor: Scoring | None = None, parted: int = 0
) -> Reason:
    """Against the runner-up: better, or as good and not larger. `ranked` are the usable ones in order.

    So many others were `parted` from them by fewer rows.
    """
    first, others = ranked[0], ranked[1:]
    name = first.candidate.name
    if not others:
        only = first.scorings[score]
        saw = f"{score} {only.value:.3f} [{only.low:.3f}, {only.high:.3f}] on {folds.rows} rows"
        so = f"is first: fewer rows show it to beat all {parted} others" if parted > 1 else "is the only"
        if parted < 2:
            so += " candidate that could be scored" if not parted else " one left"
        return Reason("score", saw, f"{name} {so}")
    second = max(others, key=lambda j: j.scorings[score].value)
    mine, theirs = first.candidate, second.candidate
    if difference(first.scorings[score], second.scorings[score], folds)[1] > 0:
        so = f"{name} is first: it beats the runner-up, {theirs.name}"
    elif mine.parameters > theirs.parameters:
        so = f"{name} is first: {theirs.name} is smaller, but {not_taken(first, second, floor, folds)}"
    else:
        size = "smaller" if mine.parameters < theirs.parameters else "no larger"
        sizes = f"({mine.parameters:,} against {theirs.parameters:,} parameters)"
        so = f"{name} is first: these rows cannot tell it from {theirs.name}, and it is {size} {sizes}"
    return Reason("score", compared(score, first, second, folds), so)


def not_taken(first: Judged, small: Judged, floor: Scoring | None, folds: Folds) -> str:
    """Why a smaller candidate that the rows cannot tell from the first is not taken instead."""
    if floor is not None and not beats(small, floor, folds):
        return "not shown to beat the class frequencies"
    return f"expected to be {100 * cost(small, first, folds):.1f} points less right once both are tuned"


def against_prior(ranked: Sequence[Judged], places: Mapping[str, int]) -> Iterator[Reason]:
    """What one would have chosen without looking at the data, which is hard to beat."""
    if len(places) < 2:
        return
    candidates = {places[j.candidate.source]: j.candidate for j in ranked}
    blind, first = candidates[min(candidates)], ranked[0].candidate
    saw = "; ".join(f"{place}. {_facts(candidates[place])}" for place in sorted(candidates))
    verdict = "agrees" if blind is first else f"disagrees: it would have put {blind.name} first"
    yield Reason("data-blind order", saw, f"the order that does not look at the rows {verdict}")


def disagreements(ranked: Sequence[Judged], opinions: Sequence[str], folds: Folds) -> Iterator[Reason]:
    """Each second opinion that would have put another candidate first."""
    first = ranked[0]
    for opinion in opinions:
        having = [j for j in ranked if opinion in j.scorings]
        if first not in having:
            continue
        best = max(having, key=lambda j: j.scorings[opinion].value)
        if best.scorings[opinion].value > first.scorings[opinion].value:
            so = f"scores disagree: {opinion} prefers {best.candidate.name}"
            yield Reason("second opinion", compared(opinion, best, first, folds), so)


def cautions(score: str) -> Iterator[Reason]:
    """When the score that orders goes wrong, if its file says so."""
    said = caution(SCORES.get(score))
    if said:
        yield Reason("caution", f"the order is that of {score}", said)


def absences(judged: Sequence[Judged], score: str) -> Iterator[Reason]:
    """Scores that single candidates do not have."""
    for j in judged:
        for name, why in j.absent.items():
            place = ", which is put behind those that it can score" if name == score else ""
            so = f"{name} says nothing of {j.candidate.name}{place}"
            yield Reason("absent score", f"{j.candidate.name}: {why}", so)


def no_better_than_floor(ranked: Sequence[Judged], floor: Scoring, folds: Folds) -> Iterator[Reason]:
    """A warning, if no candidate's probe is shown to beat the class frequencies."""
    if any(beats(j, floor, folds) for j in ranked):
        return
    best = max(ranked, key=lambda j: j.scorings[PROBE].value)
    value, low, high = difference(best.scorings[PROBE], floor, folds)
    saw = (
        f"{PROBE} {best.scorings[PROBE].value:.3f} ({best.candidate.name}) against {floor.value:.3f} of the "
        f"class frequencies: difference {value:+.3f} [{low:+.3f}, {high:+.3f}]"
    )
    so = "even the best is not shown to be better than always answering with the class frequencies"
    yield Reason("floor", saw, so)


def unusable(judged: Sequence[Judged]) -> Iterator[Reason]:
    """Candidates, and single layer groups, that could not be scored."""
    for j in judged:
        name = j.candidate.name
        if j.fault:
            yield Reason("unusable features", f"{name}: {j.fault}", f"{name} is put last, without a score")
        for group in j.skipped:
            yield Reason("unusable features", f"{name}, {group}", "the layer group has no depth score")


def beats(judged: Judged, floor: Scoring, folds: Folds) -> bool:
    """Is its probe shown to be better than the class frequencies?"""
    return difference(judged.scorings[PROBE], floor, folds)[1] > 0


def compared(score: str, one: Judged, other: Judged, folds: Folds) -> str:
    mine, theirs = one.scorings[score], other.scorings[score]
    value, low, high = difference(mine, theirs, folds)
    return (
        f"{score} {mine.value:.3f} ({one.candidate.name}) against "
        f"{theirs.value:.3f} ({other.candidate.name}): difference {value:+.3f} "
        f"[{low:+.3f}, {high:+.3f}], {mine.how}, paired"
    )


def _facts(candidate: Candidate) -> str:
    known = candidate.source_accuracy
    accuracy = "" if known is None else f", published accuracy {known:.3f}"
    return f"{candidate.name} ({candidate.parameters:,} parameters{accuracy})"
