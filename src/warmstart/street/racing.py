"""The race between ranking and decision: candidates tried by short trainings, through the loop of all others.

Each learns as it would be tuned, but from fewer rows and for fewer epochs: about a tenth of its own whole
tuning in the first lap, and a quarter in the second, which only those come to that the first cannot tell
apart. The winner is what the plan starts from.
"""

from __future__ import annotations

import re
from dataclasses import replace

from warmstart.base.errors import WarmstartError
from warmstart.base.files import write_json
from warmstart.base.types import (
    Bundle,
    Candidate,
    Finding,
    Plan,
    Race,
    Ranking,
)
from warmstart.select.heats import Answers
from warmstart.select.race import race
from warmstart.street import training
from warmstart.street.entering import EPOCHS, Dealt, Entry, dealt_of, entered, prepared, share
from warmstart.street.folder import Trip
from warmstart.street.trials import asked, trial


def run(
    trip: Trip, bundle: Bundle, ranking: Ranking, noticed: tuple[Finding, ...]
) -> tuple[Ranking, tuple[Finding, ...]]:
    """The ranking with its race, if one is wanted and a plan has not settled the matter; in ranking.json."""
    settled = ranking.race is not None or trip.path("plan.yaml").is_file()
    if settled or trip.options.race < 2 or len(ranking.scored) < 2:
        return ranking, noticed
    ranking = ordered(ranking, held(trip, bundle, ranking))
    noticed = (*noticed, *losses(ranking.race))
    write_json(trip.path("ranking.json"), {"ranking": ranking, "findings": noticed})
    return ranking, noticed


def ordered(ranking: Ranking, found: Race) -> Ranking:
    """The candidates in the order that the race gave, those that were not in it behind."""
    place = {source: number for number, source in enumerate(found.order)}
    scored = sorted(ranking.scored, key=lambda one: place.get(one.candidate.source, len(place)))
    return replace(ranking, scored=tuple(scored), race=found)


def losses(found: Race | None) -> tuple[Finding, ...]:
    """A line for each candidate that could not be trained."""
    return tuple(
        Finding("candidates", "warning", f"{one.name}: {one.out}", "it is out of the race", 1)
        for one in (found.entrants if found else ())
        if one.failed
    )


def held(trip: Trip, bundle: Bundle, ranking: Ranking) -> Race:
    """The race itself; without entrants, and with the reason, where there is nothing to try."""
    dealt = dealt_of(trip, bundle)
    entry = entered(trip, bundle, ranking, dealt)
    if len(entry.entrants) < 2:
        return Race((), (), entry.reasons)
    announce(trip, entry)
    starts = [one.candidate.source for one in entry.entrants]

    def train(known: Candidate, lap: int, rows: int) -> Answers:
        place, how = starts.index(known.source) + 1, entry.tuned[known.source]
        if isinstance(how, WarmstartError):
            raise how
        name = f"race-{lap}-{place}-{plain(known.name)}"
        return short(trip, name, bundle, shortened(how.plan, lap), dealt, rows)

    found = race(
        entry.entrants,
        dealt.laps,
        train,
        judged=len(dealt.deal.judging),
        prices={source: price.seconds for source, price in entry.priced.items()},
        groups_N=dealt.groups_N,
        seed=trip.options.seed,
    )
    return replace(found, reasons=(*entry.reasons, *found.reasons))


def announce(trip: Trip, entry: Entry) -> None:
    seconds = share(0) * sum(entry.priced[one.candidate.source].seconds for one in entry.entrants)
    what = f"{len(entry.entrants)} candidates race: about {seconds:,.0f} s, then more for those left"
    trip.tell({"event": "note", "what": what})


def shortened(plan: Plan, lap: int) -> Plan:
    """The plan with the epochs of a lap."""
    return replace(plan, phases=training.longer(plan.phases, EPOCHS[lap - 1]))


def short(trip: Trip, name: str, bundle: Bundle, plan: Plan, dealt: Dealt, rows: int) -> Answers:
    """What a candidate answers to the rows that judge after a short training."""
    ready = prepared(trip, bundle, plan)
    judged = {"judged": asked(ready, "train", dealt.deal.judging)}
    done = trial(trip, name, plan, bundle, ready, dealt.deal.first(rows), judged)
    said = done.predictions["judged"]
    return Answers(said.truth, said.probabilities, done.seconds)


def plain(name: str) -> str:
    """A name that can be a folder's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:60]
