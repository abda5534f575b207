"""The race: short trainings of the candidates that the scores put first (successive halving, interval-aware).

Frozen features say who is a good start before anything moves; who is after it did only a training says. So
the first few learn from a part of the rows, and from more of them as long as the rows cannot tell them apart
(Jamieson and Talwalkar 2016, arXiv 1502.07943, but that nobody is dropped without being shown to be worse).
All are judged on training rows from which none of them learned; validation and test rows have no say.

    out        Its log-loss is shown to be higher than that of the lap's best (paired 95 % interval), and its
               accuracy is not higher. Log-loss moves with every row, accuracy only with those that change
               sides; `heats` says why the log-loss of short trainings can be trusted.
    the end    Of those left the smallest is taken that costs nothing beside any other (`costs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Candidate, Entrant, Lap, Measure, Race, Reason, Scored
from warmstart.select.belief import MARGIN, expected, of_accuracies, of_trainings
from warmstart.select.heats import Answers, Judges, Ran, best, best_first, ran
from warmstart.select.scores._scoring import untrained

FAR = 0.10  # of accuracy, behind the first of the scores: a training that short does not make up for that

Train = Callable[[Candidate, int, int], Answers]  # number of the lap, rows to learn from


def enter(scored: Sequence[Scored], most: int) -> tuple[list[Scored], list[Reason]]:
    """Which of the ranked candidates are tried, at most so many, and why others are not."""
    refused = [why for one in scored if (why := kept_out(one, scored[0])) is not None]
    able = [one for one in scored if kept_out(one, scored[0]) is None]
    if len(able) > most:
        left = ", ".join(one.candidate.name for one in able[most:])
        saw = f"{len(able)} candidates, of which {most} are tried, in the order of the scores"
        refused.append(Reason("race: entry", saw, f"not tried: {left}; --race {len(able)} tries all"))
    return able[:most], refused


def kept_out(one: Scored, first: Scored) -> Reason | None:
    """Why a candidate is not worth a training, if so."""
    name = one.candidate.name
    if not one.accuracy.n:
        return Reason("race: entry", f"{name}: {one.accuracy.how or 'not measured'}", f"{name} is not tried")
    gap = first.accuracy.value - one.accuracy.value
    if gap <= FAR or not told_apart(first, one):
        return None
    saw = (
        f"frozen features: {first.candidate.name} {first.accuracy.value:.1%} right, {name} "
        f"{one.accuracy.value:.1%}, and the scores tell them apart"
    )
    return Reason("race: entry", saw, f"{name} is not tried: beyond doubt behind, by more than {FAR:.0%}")


def told_apart(better: Scored, worse: Scored) -> bool:
    """Do the scores show it, as seen from the best of them?"""
    if better.behind is None or worse.behind is None:
        return False
    return worse.behind.low > better.behind.high


@dataclass(frozen=True)
class Course:
    """How the race stands."""

    standing: tuple[Scored, ...]
    heat: tuple[Ran, ...] = ()  # of the last lap, those that were not lost, best first
    gone: tuple[str, ...] = ()  # sources of those that are out, the last to go first
    outs: dict[str, str] = field(default_factory=dict)  # why
    failed: frozenset[str] = frozenset()  # of those the ones that could not be trained
    laps: dict[str, tuple[Lap, ...]] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()


def race(
    entrants: Sequence[Scored],
    laps: Sequence[int],
    train: Train,
    *,
    judged: int,
    prices: Mapping[str, float] = {},
    groups_N: NDArray[np.generic] | None = None,
    seed: int = 0,
) -> Race:
    """Two candidates or more, in the order of the scores, through laps of so many rows; the last if needed.

    `train(candidate, lap, rows)` gives what the candidate answers to the `judged` rows, the same for all,
    when it has learned from so many others; `groups_N` names the groups of those that judge. A WarmstartError
    of it costs the candidate its place, and no more. `prices` maps sources to seconds, to be passed on.
    """
    judges, course = Judges(untrained(judged, groups_N, seed)), Course(tuple(entrants))
    for number, rows in enumerate(laps, start=1):
        if len(course.standing) > 1:
            course = after(course, number, rows, train, judges, last=number == len(laps))
    heat, reasons = list(course.heat), list(course.reasons)
    if len(heat) > 1:
        taken, why = take(heat, judges)
        reasons.append(why)
        heat = [taken, *(one for one in heat if one is not taken)]
    order = (*(one.source for one in heat), *course.gone)
    if heat:
        reasons.append(hindsight(entrants, order, course))
    found = tuple(entrant(one.candidate, course, prices) for one in entrants)
    return Race(found, order, tuple(reasons), sum(lap.seconds for one in found for lap in one.laps))


def after(course: Course, number: int, rows: int, train: Train, judges: Judges, last: bool) -> Course:
    """One more lap of all that are standing."""
    heat, faults = run(course.standing, number, rows, train)
    lost = [one for one in heat if loses(one, best(heat), judges)]
    left = tuple(one for one in best_first(heat) if one not in lost)
    outs = {one.source: f"after {rows:,} rows shown to be behind {left[0].name}" for one in lost}
    outs |= {source: reason.saw for source, reason in faults.items()}
    laps = {one.source: (*course.laps.get(one.source, ()), judges.lap(one, left[0])) for one in heat}
    return Course(
        standing=tuple(one.scored for one in left),
        heat=left,
        gone=(*(one.source for one in best_first(lost)), *faults, *course.gone),
        outs={**course.outs, **outs},
        failed=course.failed | faults.keys(),
        laps={**course.laps, **laps},
        reasons=(*course.reasons, *faults.values(), *explained(heat, lost, judges, last)),
    )


def entrant(known: Candidate, course: Course, prices: Mapping[str, float]) -> Entrant:
    source = known.source
    return Entrant(
        name=known.name,
        source=source,
        parameters=known.parameters,
        price=prices.get(source, 0.0),
        laps=course.laps.get(source, ()),
        out=course.outs.get(source, ""),
        failed=source in course.failed,
    )


def run(
    standing: Sequence[Scored], number: int, rows: int, train: Train
) -> tuple[list[Ran], dict[str, Reason]]:
    """Everyone once; those that cannot be trained with the reason, by source."""
    heat: list[Ran] = []
    faults: dict[str, Reason] = {}
    for one in standing:
        known = one.candidate
        try:
            heat.append(ran(one, rows, train(known, number, rows)))
        except WarmstartError as error:
            so = f"{known.name} is out: it could not be trained; {error.do}"
            faults[known.source] = Reason("race: not trained", error.wrong, so)
    return heat, faults


def loses(one: Ran, leader: Ran, judges: Judges) -> bool:
    """Is it shown to be worse than the best of the lap?"""
    if one is leader:
        return False
    return judges.behind(one, leader).low > 0 and one.accuracy <= leader.accuracy


def explained(heat: Sequence[Ran], lost: Sequence[Ran], judges: Judges, last: bool) -> Iterator[Reason]:
    """What a lap showed, and who goes on."""
    if len(heat) < 2:
        return
    leader = best(heat)
    rule = f"race: {leader.rows:,} rows to learn from, {len(leader.hits_N):,} to judge"
    for one in lost:
        saw = f"log-loss {one}, {leader}: difference {told(judges.behind(one, leader))}"
        yield Reason(rule, saw, f"{one.name} is out: shown to be behind {leader.name}")
    left = [one for one in best_first(heat) if one not in lost]
    if len(left) > 1 and not last:
        names = listed(left)
        yield Reason(rule, f"log-loss {listed(left, str)}", f"they cannot tell {names} apart: more rows")


def take(heat: Sequence[Ran], judges: Judges) -> tuple[Ran, Reason]:
    """The smallest that costs nothing beside any other; the least to lack where all do. And why."""
    smallest_first = sorted(heat, key=lambda one: (one.parameters, one.loss, one.source))
    bills = {one.source: bill(one, heat, judges) for one in heat}
    unbeaten = max(
        best_first(heat), key=lambda one: -max(lacks(one, o, judges) for o in heat if o is not one)
    )
    taken = next((one for one in smallest_first if not bills[one.source]), unbeaten)
    others = [one for one in best_first(heat) if one is not taken]
    saw = "; ".join(f"{taken.name} minus {one.name} {told(judges.ahead(taken, one))}" for one in others)
    smaller = [one for one in smallest_first if one.parameters < taken.parameters]
    why = "; ".join(f"{one.name} is smaller, but {bills[one.source]}" for one in smaller)
    so = f"{taken.name} is taken: {why or 'none of them is smaller'}"
    rule = "race: of those that the rows cannot tell apart the smallest that costs nothing"
    return taken, Reason(rule, f"accuracy on {len(taken.hits_N):,} rows: {saw}", so)


def bill(small: Ran, heat: Sequence[Ran], judges: Judges) -> str:
    """What taking it instead of another costs; "" if nothing.

    Either it is expected to be less right, by more than a smaller model may cost; or the scores, which saw
    all rows, show it to be worse, and it is not ahead in the race.
    """
    for other in best_first(one for one in heat if one is not small):
        loss = lacks(small, other, judges)
        if loss >= MARGIN:
            return f"expected to be {100 * loss:.1f} points less right than {other.name}"
        is_ahead = small.loss < other.loss or small.accuracy > other.accuracy
        if told_apart(other.scored, small.scored) and not is_ahead:
            return f"the scores show it to be behind {other.name}, and the race does not deny it"
    return ""


def lacks(small: Ran, other: Ran, judges: Judges) -> float:
    """Accuracy that the one is expected to lack of the other, by the race and by frozen features."""
    raced = of_trainings(judges.ahead(other, small))
    return expected(raced, of_accuracies(other.scored.accuracy, small.scored.accuracy))


def hindsight(entrants: Sequence[Scored], order: Sequence[str], course: Course) -> Reason:
    """Had the scores been right?"""
    names = {one.candidate.source: one.candidate.name for one in entrants}
    saw = f"by scores {', '.join(names.values())}; by the race {', '.join(names[s] for s in order)}"
    leader = next(iter(names))
    first, winner = names[leader], names[order[0]]
    unbeaten = ", ".join(names[source] for source in order[1:] if source not in course.outs)
    if leader in course.failed:
        so = f"{first}, which the scores had first, could not be trained"
    elif leader in course.outs:
        so = f"the ranking had been wrong: {first}, which it had first, is shown to be behind {winner}"
    elif winner != first:
        so = f"the race puts {winner} first and the scores {first}; it cannot tell the two apart"
    elif unbeaten:
        so = f"the race agrees that {first} is first; it cannot tell it from {unbeaten}"
    else:
        so = f"the ranking had been right: {first} is before all others that were tried"
    return Reason("race: the ranking in hindsight", saw, so)


def told(difference: Measure) -> str:
    return f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"


def listed(heat: Sequence[Ran], word: Callable[[Ran], str] = lambda one: one.name) -> str:
    return ", ".join(map(word, heat))
