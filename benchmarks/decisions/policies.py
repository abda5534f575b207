"""Ways to decide: from a cell that was run to the name of the strategy that would be carried out there.

To judge another one, add a line to FIXED, or to `policies_of` where it learns from other cells. It may read
what is known before the strategies were run to their end (`cell.facts`, `cell.table`), and none of what they
gave.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.decisions import measured
from benchmarks.decisions.read import Read
from warmstart.decide.choose import choose
from warmstart.evaluate.recommend import surely_ahead
from warmstart.street.training import RIVALS

Policy = Callable[[Read], str]


def always(strategy: str) -> Policy:
    return lambda cell: strategy


def by_priors(cell: Read) -> str:
    """What is chosen where neither a record nor a trial says anything."""
    return choose(replace(cell.facts, pilots=()), "model", seed=cell.cell.seed, records={})[0].strategy


PRIORS, MEASURED = "chosen by priors alone", "chosen with record and pilots"
RECOMMENDED = "recommended in the end: that, or a rival"
FORETOLD = "for scale: what other seeds had best"  # no way to decide: it knows what came out on like rows
BESIDE = "always full (head first: LP-FT)"  # what accuracy is compared with, pair by pair
FIXED: dict[str, Policy] = {
    PRIORS: by_priors,
    BESIDE: always("full"),
    "always plain fine-tuning": always("plain"),
    "always frozen": always("frozen"),
    "always LoRA": always("lora"),
    "always partial": always("partial"),
    "always gradual": always("gradual"),
    "always scratch": always("scratch"),
}


def policies_of(cells: Sequence[Read]) -> Mapping[str, Policy]:
    """All ways to decide; what learns from other cells learns from these, never from those of its own set."""

    @cache
    def without(world: str) -> measured.Records:
        return measured.records_without(cells, world)

    def with_pilots(cell: Read) -> str:
        return measured.decide(cell, without(cell.cell.world)).strategy

    def in_the_end(cell: Read) -> str:
        return recommended(cell, with_pilots(cell))

    alike = defaultdict(list)
    for cell in cells:
        alike[cell.cell.world, cell.cell.model, cell.cell.rows].append(cell)

    def foretold(cell: Read) -> str:
        others = [o for o in alike[cell.cell.world, cell.cell.model, cell.cell.rows] if o is not cell]
        return best_elsewhere(list(cell.right), others)

    ours = {RECOMMENDED: in_the_end, MEASURED: with_pilots}
    return {**ours, **FIXED, FORETOLD: foretold}


def best_elsewhere(names: Sequence[str], others: Sequence[Read]) -> str:
    """The strategy with the highest mean accuracy over other seeds; "" where there are none."""
    shared = [name for name in names if others and all(name in other.right for other in others)]
    return max(shared, key=lambda name: float(np.mean([o.scores[name] for o in others])), default="")


def recommended(cell: Read, chosen: str) -> str:
    """What the product advises to use: the plan, or a rival that is surely better on the validation rows."""
    done = {name: cell.validated[name] for name in dict.fromkeys((chosen, *RIVALS)) if name in cell.validated}
    start = done[chosen].right.astype(float)
    better = [n for n, v in done.items() if surely_ahead(v.right.astype(float)[None] - start, True)]
    return max(better or [chosen], key=lambda name: done[name].merit)
