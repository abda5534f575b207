"""The race between ranking and decision: candidates tried by short trainings, through the loop of all others.

Each learns as it would be tuned, but from fewer rows and for fewer epochs: about a tenth of its own whole
tuning in the first lap, and a quarter in the second, which only those come to that the first cannot tell
apart. The winner is what the plan starts from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_table, write_json
from warmstart.base.tables import checked
from warmstart.base.types import (
    Bundle,
    Candidate,
    Facts,
    Finding,
    Plan,
    Race,
    Ranking,
    Reason,
    Scored,
)
from warmstart.decide.choose import plan_for
from warmstart.select.heats import Answers
from warmstart.select.race import enter, race
from warmstart.select.sample import sample_rows
from warmstart.street import deciding, pricing, training
from warmstart.street.budget import seconds_left
from warmstart.street.folder import Trip
from warmstart.street.stops import group_numbers, task_of
from warmstart.street.training import LEARNED_FROM, Ready
from warmstart.street.trials import SHARE, Deal, asked, deal, trial

TRIED = "full"  # the strategy in which candidates are tried, where none is asked for
EPOCHS = (0.4, 0.5)  # share of the epochs of a whole tuning, lap by lap
ROWS = (0.5, 1.0)  # share of the rows that may teach, which are half of all
JUDGED = 2000  # rows at most that judge
FEWEST, PER_CLASS = 30, 2  # rows that judge, and rows of each class that teach in the first lap
BUDGETED = 0.2  # of the seconds that are left, where there is a budget
PRICES = "prices.json"


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
        prices=entry.priced,
        groups_N=dealt.groups_N,
        seed=trip.options.seed,
    )
    return replace(found, reasons=(*entry.reasons, *found.reasons))


@dataclass(frozen=True)
class Entry:
    """Who is in the race, how each would be tuned whole and for how many seconds; and why others are not."""

    entrants: tuple[Scored, ...]
    reasons: tuple[Reason, ...]
    tuned: Plans = field(default_factory=dict)
    priced: Mapping[str, float] = field(default_factory=dict)


def entered(trip: Trip, bundle: Bundle, ranking: Ranking, dealt: Dealt) -> Entry:
    """Those that the scores let in, that the rows can tell something of, and that can be paid."""
    entrants, reasons = enter(ranking.scored, trip.options.race)
    tuned = plans(trip, bundle, ranking, entrants) if len(entrants) > 1 and dealt.fits(bundle) else {}
    why = no_race(trip, bundle, entrants, dealt, tuned)
    if why is not None:
        return Entry((), (*reasons, why))
    priced = prices(trip, bundle, tuned)
    entrants, dear = affordable(entrants, priced)
    entrants, unpaid = within(entrants, priced, seconds_left(trip))
    return Entry(tuple(entrants), (*reasons, *dear, *unpaid), tuned, priced)


@dataclass(frozen=True, eq=False)  # holds arrays: the same only as itself
class Dealt:
    """Which rows teach and judge, and from how many one learns in each lap."""

    deal: Deal
    groups_N: np.ndarray | None  # of the rows that judge

    @property
    def laps(self) -> tuple[int, ...]:
        return tuple(round(share * len(self.deal.teaching)) for share in ROWS)

    def fits(self, bundle: Bundle) -> bool:
        """Are there rows enough to learn something from, and to judge by?"""
        return len(self.deal.judging) >= FEWEST and self.laps[0] >= PER_CLASS * len(bundle.labels)


def dealt_of(trip: Trip, bundle: Bundle) -> Dealt:
    seed = trip.options.seed
    parted, groups = deal(bundle, seed), group_numbers(bundle, bundle.train)
    labels = task_of(bundle).targets(bundle, bundle.train).numpy()
    judging = parted.judging
    judging_groups = None if groups is None else groups[judging]
    chosen = sample_rows(labels[judging], judging_groups, JUDGED, seed)
    judging = judging[chosen]
    return Dealt(replace(parted, judging=judging), None if groups is None else groups[judging])


@dataclass(frozen=True)
class Tuned:
    """How a candidate would be tuned, and what that rests on."""

    plan: Plan
    facts: Facts


Plans = Mapping[str, Tuned | WarmstartError]


def plans(trip: Trip, bundle: Bundle, ranking: Ranking, entrants: Sequence[Scored]) -> Plans:
    """By source how each would be tuned whole, or why it cannot be opened any more."""
    found: dict[str, Tuned | WarmstartError] = {}
    for one in entrants:
        source = one.candidate.source
        try:
            facts = deciding.look(trip, bundle, ranking, one)
        except WarmstartError as error:
            found[source] = error
            continue
        plan = plan_for(trip.options.strategy or TRIED, facts, source, seed=trip.options.seed)
        found[source] = Tuned(plan, facts)
    return found


def no_race(
    trip: Trip, bundle: Bundle, entrants: Sequence[Scored], dealt: Dealt, tuned: Plans
) -> Reason | None:
    """Why there is nothing to try, if so."""
    if len(entrants) < 2:
        names = ", ".join(one.candidate.name for one in entrants) or "none"
        return Reason(
            "race: entry", f"candidates to be tried: {names}", "no race: there is nothing to compare"
        )
    if not dealt.fits(bundle):
        saw = (
            f"{dealt.laps[0]:,} rows to learn from in the first lap, {len(dealt.deal.judging):,} to judge; "
            f"at least {PER_CLASS * len(bundle.labels):,} ({PER_CLASS} a class) and {FEWEST} are needed"
        )
        return Reason("race: rows", saw, "no race: the order is that of the scores")
    if not any(isinstance(one, WarmstartError) or moves(one) for one in tuned.values()):
        saw = f"strategy {trip.options.strategy}: no pretrained layer learns"
        return Reason(
            "race: strategy", saw, "no race: what the features are worth is what the scores measure"
        )
    return None


def moves(tuned: Tuned) -> bool:
    """Does any pretrained layer below the head learn?"""
    plan, head = tuned.plan, tuned.facts.groups[-1:]
    return plan.pretrained and any(phase.learn != head for phase in plan.phases)


def prices(trip: Trip, bundle: Bundle, tuned: Plans) -> dict[str, float]:
    """Seconds that each whole tuning is expected to take; timed once, and kept, so that all goes on alike."""
    path = trip.path("trials", PRICES)
    known: dict[str, float] = {}
    if path.is_file():
        table = read_table(path, "delete it, and it is timed anew", "bad-run")
        known = checked(dict[str, float], table, str(path))
    for source, one in tuned.items():
        if source not in known:
            known[source] = price(trip, bundle, one)
            write_json(path, known)
    return known


def price(trip: Trip, bundle: Bundle, tuned: Tuned | WarmstartError) -> float:
    """0 where it cannot be timed; its training says why."""
    if isinstance(tuned, WarmstartError):
        return 0.0
    plan, facts = tuned.plan, tuned.facts
    try:
        ready = prepared(trip, bundle, plan)
        return pricing.prices(trip, {"": plan}, facts, bundle, ready, like=plan)[""].seconds
    except WarmstartError:
        return 0.0


def affordable(
    entrants: Sequence[Scored], priced: Mapping[str, float]
) -> tuple[list[Scored], tuple[Reason, ...]]:
    """Those whose first lap takes no longer than the whole tuning of what the scores put first."""
    first = entrants[0].candidate
    limit = priced[first.source] / share(0)
    left = [one for one in entrants if not limit or priced[one.candidate.source] <= limit]
    dear = (one.candidate for one in entrants if one not in left)
    return left, tuple(too_dear(one, first, priced) for one in dear)


def too_dear(one: Candidate, first: Candidate, priced: Mapping[str, float]) -> Reason:
    taken, limit = priced[one.source], priced[first.source]
    saw = f"tuned as a whole, {one.name} takes {taken:,.0f} s and {first.name} {limit:,.0f} s"
    so = f"{one.name} is not tried: its first lap alone would take longer than to tune {first.name}"
    return Reason("race: cost", saw, so)


def within(
    entrants: Sequence[Scored], priced: Mapping[str, float], left: float | None
) -> tuple[list[Scored], tuple[Reason, ...]]:
    """As many of the first as the budget bears, should they go through all laps."""
    taken = list(entrants)
    while left is not None and len(taken) > 1 and cost(taken, priced) > BUDGETED * left:
        taken.pop()
    if left is None or len(taken) == len(entrants):
        return taken, ()
    without = ", ".join(one.candidate.name for one in entrants[len(taken) :])
    asked_for = cost(entrants, priced)
    saw = f"{left:,.0f} s left, {BUDGETED:.0%} of them for the race; all would take {asked_for:,.0f} s"
    return taken, (Reason("race: budget", saw, f"not tried: {without}"),)


def cost(entrants: Sequence[Scored], priced: Mapping[str, float]) -> float:
    """Seconds of all laps of all."""
    return sum(map(share, range(len(ROWS)))) * sum(priced[one.candidate.source] for one in entrants)


def share(lap: int) -> float:
    """Of a whole tuning, that a lap takes: of its rows, half of which teach at most, and of its epochs."""
    return ROWS[lap] * SHARE * EPOCHS[lap]


def announce(trip: Trip, entry: Entry) -> None:
    seconds = share(0) * sum(entry.priced[one.candidate.source] for one in entry.entrants)
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


def prepared(trip: Trip, bundle: Bundle, plan: Plan) -> Ready:
    """The rows that one learns from, as this candidate reads them."""
    pretrained = training.load_for(trip, plan, task_of(bundle).modality)
    return training.prepare(trip, bundle, pretrained, LEARNED_FROM)


def plain(name: str) -> str:
    """A name that can be a folder's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:60]
