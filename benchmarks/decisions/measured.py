"""What the product would have decided in a cell: small cells of the same deal are the pilots of large ones.

A cell's rows are the first of its seed's, so that the cell of a quarter of its rows learned from a part of
them, and was asked about the others. The record that is believed is fitted without the set in question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.decisions import arms
from benchmarks.decisions.read import TEACH, Read
from benchmarks.decisions.record import record
from warmstart.base.tables import checked
from warmstart.base.types import Cost, Facts, Pace, Pilot
from warmstart.decide.choose import choose, consider
from warmstart.decide.cost import price
from warmstart.decide.pilots import Ask, which
from warmstart.decide.record import RECORDS, REFERENCE, Records
from warmstart.street.piloting import SUITED, ahead_of, share_of
from warmstart.street.training import RIVALS

Key = tuple[str, str, int, int]


@dataclass(frozen=True)
class Decided:
    """What was chosen, what was tried for it, and what that took of the tuning."""

    strategy: str
    ask: Ask
    seconds: float  # of the pilots
    tuning: float  # of the plan and its rivals
    own: float  # of the plan alone


def key(read: Read) -> Key:
    return read.cell.world, read.cell.model, read.cell.rows, read.cell.seed


def records_without(cells: Sequence[Read], world: str) -> Records:
    """Of each modality, fitted to all sets but one; the published one where that leaves too few."""
    found = dict(RECORDS)
    for modality in RECORDS:
        mine = [c for c in cells if c.facts.modality == modality and c.cell.world != world]
        if len({c.cell.world for c in mine}) > 1:
            found[modality] = record(mine)
    return found


def decide(read: Read, known: Mapping[Key, Read], records: Records) -> Decided:
    """The decision on a cell, with the pilots that it asks for where their cells were run."""
    facts = priced(read)
    suited = [o.strategy for o in consider(facts) if o.suits >= SUITED]
    ask = which(facts, (REFERENCE, *RIVALS), suited, records)
    small = known.get((*key(read)[:2], ask.rows, read.cell.seed)) if ask.strategies else None
    pilots = piloted(read, small, ask) if small else ()
    chosen = choose(replace(facts, pilots=pilots), "model", seed=read.cell.seed, records=records)[0].strategy
    took = sum(small.table["arms"][p.strategy]["cpu"] for p in pilots) if small else 0.0
    names = dict.fromkeys((chosen, *RIVALS))
    arms_ = read.table["arms"]
    tuning = sum(arms_[name]["cpu"] for name in names if name in arms_)
    return Decided(chosen, ask if pilots else replace(ask, strategies=()), took, tuning, arms_[chosen]["cpu"])


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
    return replace(read.facts, prices=prices, cannot=dict(read.table["failed"]))


def piloted(read: Read, small: Read, ask: Ask) -> tuple[Pilot, ...]:
    """Trials as the cell of fewer rows made them, judged on the half of this cell's rows that stays apart."""
    half, rows = read.cell.rows // 2, read.cell.rows
    judging = [f"{TEACH}{number}" for number in range(half, rows)]
    hits = {
        name: np.array([small.left[name][place] for place in judging if place in small.left[name]], float)
        for name in ask.strategies
        if name in small.left
    }
    if REFERENCE not in hits or not len(hits[REFERENCE]):
        return ()
    return tuple(
        Pilot(
            name,
            ask.rows,
            share_of(right_N),
            None if name == REFERENCE else ahead_of(right_N, hits[REFERENCE]),
            small.table["arms"][name]["cpu"],
        )
        for name, right_N in hits.items()
    )
