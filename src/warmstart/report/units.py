"""Quantities as a reader expects them: which unit a measure has, and its value beside its interval."""

from dataclasses import dataclass
from math import isfinite

from warmstart.base.types import Measure

ABSENT = "–"
MINUS = "−"
UNMEASURED = "not measured"


@dataclass(frozen=True)
class Unit:
    """How a quantity is printed: times `factor`, with `decimals`, and what it is called."""

    factor: float
    decimals: int
    sign: str

    def show(self, value: float | None, signed: bool = False) -> str:
        """The number alone: "94.2", "+3.1", "−0.4"; a dash if there is none or it is not finite."""
        if value is None or not isfinite(value):
            return ABSENT
        text = f"{value * self.factor:{'+' if signed else ''}.{self.decimals}f}"
        if float(text) == 0:
            text = text.lstrip("+-")
        return text.replace("-", MINUS)

    def interval(self, low: float, high: float, signed: bool = False) -> str:
        """The interval alone: "[92.1, 95.9]"."""
        return f"[{self.show(low, signed)}, {self.show(high, signed)}]"

    def reading(self, value: float, low: float, high: float, signed: bool = False) -> str:
        """Value, unit and, where it is known, interval: "94.2 % [92.1, 95.9]"."""
        text = f"{self.show(value, signed)} {self.sign}".rstrip()
        return f"{text} {self.interval(low, high, signed)}" if isfinite(low) or isfinite(high) else text


PERCENT = Unit(100, 1, "%")
POINTS = Unit(100, 1, "points")
NATS = Unit(1, 3, "nats")
PLAIN = Unit(1, 3, "")


@dataclass(frozen=True)
class Metric:
    """A measure's name for readers, its unit, and the unit of a difference of two."""

    title: str
    unit: Unit = PLAIN
    difference: Unit = PLAIN
    lower_is_better: bool = False

    @property
    def axis(self) -> str:
        """The title with its unit, as heading or axis label: "accuracy, %"."""
        return f"{self.title}, {self.unit.sign}" if self.unit.sign else self.title

    def reading(self, measure: Measure) -> str:
        return self.unit.reading(measure.value, measure.low, measure.high)

    def gap(self, difference: float) -> str:
        """A difference with its unit: "3.1 points"."""
        return f"{self.difference.show(difference)} {self.difference.sign}".strip()


METRICS = {
    "accuracy": Metric("accuracy", PERCENT, POINTS),
    "macro_f1": Metric("macro-F1", PERCENT, POINTS),
    "log_loss": Metric("log-loss", NATS, NATS, lower_is_better=True),
    "brier": Metric("Brier score", lower_is_better=True),
    "ece": Metric("calibration error", PERCENT, POINTS, lower_is_better=True),
}


def metric(name: str) -> Metric:
    """What is known of a metric of that name; an unknown one is printed with three decimals."""
    return METRICS.get(name, Metric(name))


def in_order(names: set[str]) -> list[str]:
    """Metric names: the known ones in their usual order, then the others."""
    return [n for n in METRICS if n in names] + sorted(names - METRICS.keys())
