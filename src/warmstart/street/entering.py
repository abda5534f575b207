"""Who enters the race: the first of the ranking that the rows can tell something of, and that can be paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_table, write_json
from warmstart.base.tables import checked
from warmstart.base.types import Bundle, Candidate, Facts, Plan, Ranking, Reason, Scored
from warmstart.decide.choose import plan_for
from warmstart.select.race import enter
from warmstart.select.sample import sample_rows
from warmstart.street import deciding, pricing, training
from warmstart.street.budget import seconds_left
from warmstart.street.folder import Trip
from warmstart.street.stops import group_numbers, task_of
from warmstart.street.training import LEARNED_FROM, Ready
from warmstart.street.trials import SHARE, Deal, deal

TRIED = "full"  # the strategy in which candidates are tried, where none is asked for
EPOCHS = (0.4, 0.5)  # share of the epochs of a whole tuning, lap by lap
ROWS = (0.5, 1.0)  # share of the rows that may teach, which are half of all
JUDGED = 2000  # rows at most that judge
FEWEST, PER_CLASS = 30, 2  # rows that judge, and rows of each class that teach in the first lap
BUDGETED = 0.2  # of the seconds that are left, where there is a budget
PRICES = "prices.json"


@dataclass(frozen=True)
class Price:
    """What a whole tuning is expected to take; 0 where that is not known."""

    seconds: float = 0.0
    work: float = 0.0  # counted, in units of its own


@dataclass(frozen=True)
class Entry:
    """Who is in the race, how each would be tuned whole and for how many seconds; and why others are not."""

    entrants: tuple[Scored, ...]
    reasons: tuple[Reason, ...]
    tuned: Plans = field(default_factory=dict)
    priced: Mapping[str, Price] = field(default_factory=dict)


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


def prices(trip: Trip, bundle: Bundle, tuned: Plans) -> dict[str, Price]:
    """What each whole tuning is expected to take; timed once, and kept, so that all goes on alike."""
    path = trip.path("trials", PRICES)
    known: dict[str, Price] = {}
    if path.is_file():
        table = read_table(path, "delete it, and it is timed anew", "bad-run")
        known = checked(dict[str, Price], table, str(path))
    for source, one in tuned.items():
        if source not in known:
            known[source] = price(trip, bundle, one)
            write_json(path, known)
    return known


def price(trip: Trip, bundle: Bundle, tuned: Tuned | WarmstartError) -> Price:
    """Nothing where it cannot be timed; its training says why."""
    if isinstance(tuned, WarmstartError):
        return Price()
    plan, facts = tuned.plan, tuned.facts
    try:
        ready = prepared(trip, bundle, plan)
        paces = pricing.paces(trip, {"": plan}, facts, bundle, ready, like=plan)
    except WarmstartError:
        return Price()
    timed, counted = (pricing.prices({"": plan}, facts, one, bundle) for one in (paces.timed, paces.counted))
    return Price(timed[""].seconds, counted[""].seconds)


def affordable(
    entrants: Sequence[Scored], priced: Mapping[str, Price]
) -> tuple[list[Scored], tuple[Reason, ...]]:
    """Those whose first lap is no more work than the whole tuning of what the scores put first.

    Work is counted, not timed, so that the same rows let the same candidates in.
    """
    first = entrants[0].candidate
    limit = priced[first.source].work / share(0)
    left = [one for one in entrants if not limit or priced[one.candidate.source].work <= limit]
    dear = (one.candidate for one in entrants if one not in left)
    return left, tuple(too_dear(one, first, priced) for one in dear)


def too_dear(one: Candidate, first: Candidate, priced: Mapping[str, Price]) -> Reason:
    times = priced[one.source].work / priced[first.source].work
    saw = (
        f"tuning {one.name} as a whole is {times:,.0f} times the work of {first.name} "
        f"(about {priced[one.source].seconds:,.0f} s and {priced[first.source].seconds:,.0f} s)"
    )
    so = f"{one.name} is not tried: its first lap alone would be more work than to tune {first.name}"
    return Reason("race: cost", saw, so)


def within(
    entrants: Sequence[Scored], priced: Mapping[str, Price], left: float | None
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


def cost(entrants: Sequence[Scored], priced: Mapping[str, Price]) -> float:
    """Seconds of all laps of all."""
    return sum(map(share, range(len(ROWS)))) * sum(priced[one.candidate.source].seconds for one in entrants)


def share(lap: int) -> float:
    """Of a whole tuning, that a lap takes: of its rows, half of which teach at most, and of its epochs."""
    return ROWS[lap] * SHARE * EPOCHS[lap]


def prepared(trip: Trip, bundle: Bundle, plan: Plan) -> Ready:
    """The rows that one learns from, as this candidate reads them."""
    pretrained = training.load_for(trip, plan, task_of(bundle).modality)
    return training.prepare(trip, bundle, pretrained, LEARNED_FROM)
