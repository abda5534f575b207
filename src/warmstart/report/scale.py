"""An axis: round numbers that enclose the data, and where a value lies between its ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log, log10

from warmstart.report.units import MINUS


@dataclass(frozen=True)
class Scale:
    """Numbers to places on an axis from `low` to `high`."""

    ticks: tuple[float, ...]
    low: float
    high: float
    doubling: bool = False  # as far from 1 to 2 as from 100 to 200

    @staticmethod
    def of_counts(values: Iterable[float]) -> "Scale":
        """An axis of whole numbers above 0 on which doubling is always as far, with at least two ticks."""
        found = [v for v in values if isfinite(v) and v >= 1] or [1.0]
        low, high = min(found), max(max(found), 1.5 * min(found))
        powers = [10.0**e for e in range(floor(log10(low)), ceil(log10(high)) + 1)]
        steps = (1, 2, 5) if high < 100 * low else (1,)
        ticks = tuple(p * step for p in powers for step in steps if low <= p * step <= high)
        return Scale(ticks if len(ticks) > 1 else (low, high), low, high, doubling=True)

    @staticmethod
    def over(values: Iterable[float], about: int = 5, tight: bool = False) -> "Scale":
        """An axis from tick to tick around `values`, or (tight) from the first value to the last."""
        found = [v for v in values if isfinite(v)] or [0.0]
        ticks = nice_ticks(found, about)
        low, high = min(found), max(found)
        slack = 1e-9 * (high - low)
        inside = tuple(t for t in ticks if low - slack <= t <= high + slack)
        return Scale(inside, low, high) if tight and len(inside) > 1 else Scale(ticks, ticks[0], ticks[-1])

    def share(self, value: float) -> float:
        """Place between the ends of the axis, 0 to 1."""
        if self.doubling:
            return log(value / self.low) / log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def across(self, value: float) -> str:
        return f"{100 * self.share(value):.2f}%"

    def names(self) -> list[str]:
        """The ticks as text, all with as many decimals as their step needs."""
        if self.doubling:
            return [f"{t:,.0f}" for t in self.ticks]
        step = self.ticks[1] - self.ticks[0]
        decimals = next(d for d in range(13) if abs(round(step, d) - step) <= 1e-6 * step)
        return [f"{t:,.{decimals}f}".replace("-", MINUS) for t in self.ticks]


def nice_ticks(values: Sequence[float], about: int = 5) -> tuple[float, ...]:
    """About `about` round numbers that enclose `values` (Heckbert 1990, Nice numbers for graph labels)."""
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1.0):
        pad = abs(low) * 0.05 if abs(low) > 1e-6 else 1.0
        low, high = low - pad, high + pad
    step = _nice((high - low) / about)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return tuple(round(i * step, 12) for i in range(first, last + 1))


def _nice(rough: float) -> float:
    """The smallest of 1, 2, 2.5, 5 or 10 times a power of ten that is not below `rough`."""
    power = 10.0 ** floor(log10(rough))
    return next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * (1 - 1e-9))
