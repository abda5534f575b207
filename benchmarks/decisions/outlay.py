"""What deciding takes beside the tuning that it decides on: the plan and its rivals.

Trials are counted in processor seconds, as that tuning is; the few timed steps from which prices are known in
seconds on the clock, beside the same of the tuning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.decisions.measured import decide, records_without
from benchmarks.decisions.read import Read
from benchmarks.decisions.spread import mean_of
from warmstart.street.training import RIVALS

MOST = 0.25


@dataclass(frozen=True)
class Outlay:
    """Shares of the tuning."""

    trials: float
    timing: float
    tried: bool

    @property
    def whole(self) -> float:
        return self.trials + self.timing


def outlays(cells: Sequence[Read]) -> list[Outlay]:
    """Of each cell, by a record that was fitted without its set."""
    records = {name: records_without(cells, name) for name in {c.cell.world for c in cells}}
    return [outlay(cell, records[cell.cell.world]) for cell in cells]


def outlay(cell: Read, records: Any) -> Outlay:
    done, made = decide(cell, records), cell.table["arms"]
    names = [name for name in dict.fromkeys((done.strategy, *RIVALS)) if name in made]
    cpu, wall = (sum(made[name][kind] for name in names) for kind in ("cpu", "wall"))
    return Outlay(done.pilots / cpu, cell.table["seconds"]["timing"] / wall, bool(done.ask.strategies))


def summed(cells: Sequence[Read], draws: int) -> dict[str, Mapping[str, Any]]:
    """The means over all cells, over each kind, and over those that tried anything."""
    pairs = list(zip(cells, outlays(cells), strict=True))
    groups = {"all": pairs}
    for kind in sorted({cell.kind for cell in cells}):
        groups[kind] = [(c, o) for c, o in pairs if c.kind == kind]
    groups["cells with trials"] = [(c, o) for c, o in pairs if o.tried]
    return {name: means(some, draws) for name, some in groups.items() if some}


def means(pairs: Sequence[tuple[Read, Outlay]], draws: int) -> Mapping[str, Any]:
    whole = mean_of([o.whole for _, o in pairs], [(c.cell.world, c.cell.seed) for c, _ in pairs], draws)
    return {
        "cells": len(pairs),
        "trials": float(np.mean([o.trials for _, o in pairs])),
        "timing": float(np.mean([o.timing for _, o in pairs])),
        "whole": asdict(whole) if whole else None,
        "within": float(np.mean([o.whole <= MOST for _, o in pairs])),
    }
