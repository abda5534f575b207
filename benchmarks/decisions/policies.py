"""Ways to decide: from a cell that was run to the name of the strategy that would be carried out there.

To judge another one, add a line to FIXED, or to `policies_of` where it learns from other cells. It may read
what is known before the strategies were run to their end (`cell.facts`, `cell.table`), and none of what they
gave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from benchmarks.decisions import measured
from benchmarks.decisions.read import Read
from warmstart.evaluate.recommend import surely_ahead
from warmstart.street.training import RIVALS

Policy = Callable[[Read], str]


def always(strategy: str) -> Policy:
    return lambda cell: strategy


def planned(cell: Read) -> str:
    """What `decide.choose` said when the cell was run, from the facts alone."""
    return str(cell.table["planned"])


CHOSEN, MEASURED = "chosen by the rules", "chosen with record and pilots"
RECOMMENDED = "recommended in the end: that, or a rival"
BESIDE = "always full (head first: LP-FT)"  # what accuracy is compared with, pair by pair
FIXED: dict[str, Policy] = {
    CHOSEN: planned,
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

    return {CHOSEN: planned, MEASURED: with_pilots, RECOMMENDED: in_the_end, **FIXED}


def recommended(cell: Read, chosen: str) -> str:
    """What the product advises to use: the plan, or a rival that is surely better on the validation rows."""
    done = {name: cell.validated[name] for name in dict.fromkeys((chosen, *RIVALS)) if name in cell.validated}
    start = done[chosen].right.astype(float)
    better = [n for n, v in done.items() if surely_ahead(v.right.astype(float)[None] - start, True)]
    return max(better or [chosen], key=lambda name: done[name].merit)
