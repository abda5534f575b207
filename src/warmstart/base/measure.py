"""A number and its doubt: what every stage reports in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A number that knows how far it can be trusted."""

    name: str
    value: float
    low: float
    high: float
    n: int  # rows it was measured on
    how: str = ""  # how the interval was made
