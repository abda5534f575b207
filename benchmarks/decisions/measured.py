"""What the product would have decided in a cell: from its facts and the pilots that were made there.

The record that is believed is fitted without the set in question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.decisions import arms
from benchmarks.decisions.read import Read, Tried
from benchmarks.decisions.record import record
from warmstart.base.tables import checked
from warmstart.base.types import Cost, Facts, Pace, Pilot
from warmstart.decide.choose import choose, consider
from warmstart.decide.cost import price
from warmstart.decide.pilots import Ask, which
from warmstart.decide.record import RECORDS, REFERENCE, Records
from warmstart.street.piloting import SUITED, ahead_of, share_of
from warmstart.street.training import RIVALS


@dataclass(frozen=True)
class Decided:
    """What was chosen, what was tried for it, and what that took."""

    strategy: str
    ask: Ask  # with no strategies where the pilots were not made
    pilots: float  # processor seconds


def records_without(cells: Sequence[Read], world: str) -> Records:
    """Of each modality, fitted to all sets but one; the published one where that leaves too few."""
    found = dict(RECORDS)
    for modality in RECORDS:
        mine = [c for c in cells if c.facts.modality == modality and c.cell.world != world]
        if len({c.cell.world for c in mine}) > 1:
            found[modality] = record(mine)
    return found


def asks(read: Read, records: Records) -> Ask:
    """The trials that the decision on a cell asks for."""
    facts = priced(read)
    suited = [o.strategy for o in consider(facts) if o.suits >= SUITED]
    return which(facts, (REFERENCE, *RIVALS), suited, records)


def decide(read: Read, records: Records) -> Decided:
    """The decision on a cell, with the pilots that it asks for where they were made."""
    ask = asks(read, records)
    pilots = piloted(read.tried, ask) if read.tried else ()
    facts = replace(priced(read), pilots=pilots)
    chosen = choose(facts, "model", seed=read.cell.seed, records=records)[0].strategy
    return Decided(
        strategy=chosen,
        ask=ask if pilots else replace(ask, strategies=()),
        pilots=sum(pilot.seconds for pilot in pilots),
    )


def priced(read: Read) -> Facts:
    """The facts with what each strategy was predicted to take, and what the model cannot bear."""
    pace = checked(Pace, read.table["pace"], "pace")
    plans = dict(arms.plans(read.facts, "model", read.cell.seed))
    validation = read.table["rows"]["validation"]
    prices: dict[str, Cost] = {
        name: price(plan, read.facts, pace, validation)
        for name, plan in plans.items()
        if name in read.table["arms"] and name != arms.PLAIN
    }
    efforts = {name: cost.seconds for name, cost in prices.items()}
    return replace(read.facts, prices=prices, efforts=efforts, cannot=dict(read.table["failed"]))


def piloted(tried: Tried, ask: Ask) -> tuple[Pilot, ...]:
    """The pilots that are asked for, as they were made."""
    names = [name for name in ask.strategies if name in tried.judged]
    if REFERENCE not in names or tried.rows != ask.rows:
        return ()
    hits = {name: tried.judged[name].astype(float) for name in names}
    return tuple(
        Pilot(
            name,
            tried.rows,
            share_of(right_N),
            None if name == REFERENCE else ahead_of(right_N, hits[REFERENCE]),
            tried.seconds[name],
        )
        for name, right_N in hits.items()
    )
