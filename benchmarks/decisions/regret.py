"""What a way to decide costs: accuracy below the best strategy of each cell, measured fairly and naively.

The highest of seven measured accuracies is partly luck, so that even the best strategy seems to be beaten
(the winner's curse). Naive regret has that luck in it. Fair regret finds the best strategy on one half of the
proving rows and asks it, and the chosen one, on the other half, both ways, over several random halves: where
all strategies are equal it is 0 on average. It errs on the low side instead, for on half the rows the best is
not always found. "Other seeds" finds the best on the same rows and model with other seeds' draws.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.agreement import SPLITS, crossed
from benchmarks.decisions.policies import BESIDE, Policy, best_elsewhere
from benchmarks.decisions.pools import halves, stacked
from benchmarks.decisions.read import Read
from benchmarks.decisions.spread import Mean, mean_of

BANDS = ((0, 100), (101, 400), (401, 10**9))
WITHIN = (0.005, 0.01)


@dataclass(frozen=True)
class Cost:
    """What a policy chose in a cell and what that cost; the fairest figure, None where there is one seed."""

    strategy: str
    accuracy: float
    naive: float
    fair: float
    seeds: float | None


def costs(
    cells: Sequence[Read], policies: Mapping[str, Policy], splits: int = SPLITS
) -> list[dict[str, Cost]]:
    """Of each cell the cost of each policy, but of those whose strategy could not be carried out there."""
    alike = defaultdict(list)
    for cell in cells:
        alike[cell.cell.world, cell.cell.model, cell.cell.rows].append(cell)
    found = []
    for cell in cells:
        others = [o for o in alike[cell.cell.world, cell.cell.model, cell.cell.rows] if o is not cell]
        by_strategy = cost_of(cell, others, splits)
        chosen = {name: policy(cell) for name, policy in policies.items()}
        found.append({name: by_strategy[s] for name, s in chosen.items() if s in by_strategy})
    return found


def cost_of(cell: Read, others: Sequence[Read], splits: int = SPLITS) -> dict[str, Cost]:
    """By strategy: its cost in this cell; `others` are the same cell with other seeds."""
    names = list(cell.right)
    right_SN = stacked(cell.right, names)
    masks = list(halves(right_SN.shape[1], splits, cell.cell.name))
    best = max(cell.scores[name] for name in names)
    elsewhere = best_elsewhere(names, others)
    return {
        name: Cost(
            strategy=name,
            accuracy=cell.scores[name],
            naive=best - cell.scores[name],
            fair=crossed(right_SN, number, masks),
            seeds=cell.scores[elsewhere] - cell.scores[name] if elsewhere else None,
        )
        for number, name in enumerate(names)
    }


def band(rows: int) -> str:
    low, high = next((low, high) for low, high in BANDS if low <= rows <= high)
    return f"up to {high}" if not low else f"over {low - 1}" if high == BANDS[-1][1] else f"{low} to {high}"


def summary(cells: Sequence[Read], cost: Sequence[Mapping[str, Cost]], draws: int) -> dict[str, Line]:
    """By policy the means over these cells, intervals by set and seed; and of regret also by set alone."""
    names = dict.fromkeys(name for found in cost for name in found)
    return {name: line(name, cells, cost, draws) for name in names}


@dataclass(frozen=True)
class Line:
    """The means of one policy over some cells."""

    cells: int
    accuracy: Mean | None
    gain: Mean | None  # over BESIDE, on the same rows of the same cells: no luck of a maximum in it
    naive: Mean | None
    fair: Mean | None
    fair_by_set: Mean | None
    seeds: Mean | None
    within: dict[str, float]  # share of cells whose naive regret is at most so many points
    strategies: dict[str, int]  # how often each was chosen


def line(name: str, cells: Sequence[Read], cost: Sequence[Mapping[str, Cost]], draws: int) -> Line:
    pairs = [(cell, found) for cell, found in zip(cells, cost, strict=True) if name in found]
    mine = [found[name] for _, found in pairs]
    both = [(c, f) for c, f in pairs if BESIDE in f]
    again = [(c, f[name].seeds) for c, f in pairs]

    def over(values: Sequence[float], of: Sequence[Read], by_set: bool = False) -> Mean | None:
        keys = [c.cell.world if by_set else (c.cell.world, c.cell.seed) for c in of]
        return mean_of(values, keys, draws)

    there = [c for c, _ in pairs]
    return Line(
        cells=len(pairs),
        accuracy=over([c.accuracy for c in mine], there),
        gain=over([f[name].accuracy - f[BESIDE].accuracy for _, f in both], [c for c, _ in both]),
        naive=over([c.naive for c in mine], there),
        fair=over([c.fair for c in mine], there),
        fair_by_set=over([c.fair for c in mine], there, by_set=True),
        seeds=over([s for _, s in again if s is not None], [c for c, s in again if s is not None]),
        within={f"{100 * w:g}": float(np.mean([c.naive <= w for c in mine])) for w in WITHIN},
        strategies={s: sum(c.strategy == s for c in mine) for s in dict.fromkeys(c.strategy for c in mine)},
    )
