"""Numbers and names as a reader expects them: per cent, points, nats, clock time, shortened names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from warmstart.base.types import Measure

ABSENT = "–"
MINUS = "−"

# Sequences that move the cursor, colour or retitle a terminal: CSI, then OSC and its kin up to BEL or ST.
_ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]).*?(?:\x07|\x1b\\|\x9c|$)")
# Controls, line separators, and the marks that turn the direction of writing.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


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
        """Value, unit and interval: "94.2 % [92.1, 95.9]"."""
        name = f" {self.sign}" if self.sign else ""
        return f"{self.show(value, signed)}{name} {self.interval(low, high, signed)}"


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


METRICS = {
    "accuracy": Metric("accuracy", PERCENT, POINTS),
    "macro_f1": Metric("macro-F1", PERCENT, POINTS),
    "log_loss": Metric("log-loss", NATS, NATS, lower_is_better=True),
    "ece": Metric("calibration error", PERCENT, POINTS, lower_is_better=True),
}

GLOSSARY = (
    ("accuracy", "Of all test rows, the share whose class the model names correctly."),
    (
        "macro-F1",
        "For each class, the harmonic mean of precision (how often its name is right when given) and recall "
        "(how many of its rows are found), averaged so that small classes count as much as large ones.",
    ),
    (
        "log-loss",
        "How surprised the model is by the true answers, in nats: the mean of −ln(probability given to the "
        "truth). Lower is better; being sure and wrong costs most.",
    ),
    (
        "calibration error (ECE)",
        "How far the confidence that the model states is from the share of answers that are right. Lower is "
        "better; 0 means that “90 % sure” is right 9 times in 10.",
    ),
    (
        "interval",
        "The range in square brackets: had other test rows of the same kind been drawn, the value would lie in "
        "ranges made this way 95 times in 100. Two runs are compared on the same rows, so the interval of a "
        "gain is narrower than those of the runs suggest.",
    ),
    ("p", "How often a difference this large would appear by chance if the two runs were equally good."),
    ("points", "Percentage points: from 90 % to 93 % are 3 points."),
    (
        "train, validation, test",
        "Train rows teach; validation rows choose (when to stop, what to recommend); test rows are looked at once, "
        "at the end, and prove.",
    ),
    ("base", "The pretrained model before training, where it can answer at all."),
    ("frozen", "The pretrained model unchanged, with only a new last layer learned."),
    ("scratch", "A model of the same shape that starts from random weights: what pretraining is worth."),
)


def metric(name: str) -> Metric:
    """What is known of a metric of that name; an unknown one is printed with three decimals."""
    return METRICS.get(name, Metric(name))


def in_order(names: set[str]) -> list[str]:
    """Metric names: the known ones in their usual order, then the others."""
    return [n for n in METRICS if n in names] + sorted(names - METRICS.keys())


def count(number: float) -> str:
    """A whole number with thousands set apart: "22,713,216"."""
    return f"{number:,.0f}"


def amount(number: float) -> str:
    """A large number in short: "512", "61.0 k", "22.7 M", "1.3 B"."""
    for size, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size * 0.99995:
            return f"{number / size:.1f} {name}"
    return f"{number:.0f}"


def clock(seconds: float) -> str:
    """A duration: "0.42 s", "7.5 s", "3 min 12 s", "1 h 04 min"."""
    if not isfinite(seconds):
        return ABSENT
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min"


def chance(p: float) -> str:
    """A p-value: "p = 0.012", "p < 0.001"."""
    if not isfinite(p):
        return f"p {ABSENT}"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def rate(number: float) -> str:
    """A learning rate or another setting without trailing zeros: "2e-5", "0.001"."""
    return re.sub(r"e([+-])0+", r"e\1", f"{number:g}")


def moment(created: str) -> str:
    """An ISO 8601 time to the minute: "2026-11-22 06:43 UTC"."""
    return f"{created[:16].replace('T', ' ')} UTC" if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", created) else created


def one_line(text: str) -> str:
    """`text` without terminal escapes, controls and marks of direction, on one line."""
    return " ".join(_CONTROLS.sub(" ", _ESCAPES.sub("", text)).split())


def short(text: str, width: int = 28) -> str:
    """`text` with its middle left out where it is longer than `width` characters."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[-tail:]}" if tail else f"{text[: width - 1]}…"


def spoken(name: str) -> str:
    """A key as words: "frozen_unmoved" -> "frozen unmoved"."""
    return name.replace("_", " ")


def flat(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested tables with their path in words: ("full: frozen unmoved", True)."""
    for key, value in table.items():
        here = f"{path}: {spoken(str(key))}" if path else spoken(str(key))
        if isinstance(value, Mapping):
            yield from flat(value, here)
        else:
            yield here, value


def setting(value: Any) -> str:
    """A setting's or a proof's value as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return rate(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(setting, value))
    return str(value)


def settings(part: Mapping[str, Any]) -> str:
    """The settings of an edit or a guard, without its name: "weight = 0.01, every = 2"."""
    return ", ".join(f"{k} = {setting(v)}" for k, v in flat(part) if k != "name")


def utf8(text: str) -> str:
    r"""`text` as UTF-8 can hold it: half a surrogate pair (a file name in another encoding) becomes "\udcff"."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
