"""Ways to decide: from an explored cell to the name of the strategy that would be carried out there.

To judge another one, add a line to POLICIES. It may read all that is known before the strategies were run to
their end (`cell.table`: facts, scored, pace, considered), and none of what they gave.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.decisions.records import Explored

Policy = Callable[[Explored], str]


def always(strategy: str) -> Policy:
    return lambda cell: strategy


def planned(cell: Explored) -> str:
    """What `decide.choose` proposed from the facts, without pilots."""
    return cell.planned


CHOSEN = "chosen by the rules"
POLICIES: dict[str, Policy] = {
    CHOSEN: planned,
    "always full (head first: LP-FT)": always("full"),
    "always plain fine-tuning": always("plain"),
    "always frozen": always("frozen"),
    "always LoRA": always("lora"),
    "always partial": always("partial"),
    "always gradual": always("gradual"),
    "always scratch": always("scratch"),
}
BESIDE = "always full (head first: LP-FT)"  # what accuracy is compared with, pair by pair
