"""Which mark shows which numbers of a Result. Chooses and orders; computes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Any

from markupsafe import Markup

from warmstart.base.result import Confusion, RankedModel, Result, RunSummary
from warmstart.base.types import Cost, Measure
from warmstart.report.figures import Dot, Line, heat_table, interval_plot, line_plot
from warmstart.report.units import POINTS, in_order, metric
from warmstart.report.words import spoken

MOST_CLASSES = 15  # a confusion table beyond this is not read; its most confused pairs are
MOST_PAIRS = 25


@dataclass(frozen=True)
class Pair:
    """Test rows of one class that were called another."""

    truth: str
    called: str
    count: int
    of: int  # test rows of the true class


def metrics(result: Result) -> list[str]:
    """The metrics that any run has: the usual ones in their usual order, then the others."""
    return in_order({name for run in result.runs.values() for name in run.metrics})


def methods(result: Result) -> list[str]:
    """How the intervals of the runs were made, each way once."""
    measures = (m for run in result.runs.values() for m in run.metrics.values())
    return list(dict.fromkeys(m.how for m in measures if m.how))


def runs_plot(result: Result) -> Markup:
    """The primary metric of every run on the test rows."""
    kind = metric(result.primary)
    dots = [
        Dot(name, m.value, m.low, m.high, name == result.recommended)
        for name, run in result.runs.items()
        if (m := run.metrics.get(result.primary))
    ]
    return interval_plot(f"Test {kind.title} of every run", f"test {kind.axis}", dots, kind.unit)


def expected_plot(result: Result) -> Markup:
    """What was expected of each strategy beside full fine-tuning, in points."""
    dots = [Dot(name, m.value, m.low, m.high, name == result.plan.strategy) for name, m in by_value(result)]
    axis = "accuracy beside full fine-tuning, points"
    return interval_plot("What was expected of each strategy", axis, dots, POINTS, zero=True, signed=True)


def by_value(result: Result) -> list[tuple[str, Measure]]:
    return sorted(result.expected.items(), key=lambda item: -item[1].value)


def paid(result: Result) -> list[tuple[str, Cost, RunSummary]]:
    """Runs whose price was predicted, with what they took."""
    prices = result.facts.prices if result.facts else {}
    return [(name, prices[name], run) for name, run in result.runs.items() if name in prices]


def seeds_plot(result: Result) -> Markup:
    """The primary metric of every seed's own model, run by run."""
    kind = metric(result.primary)
    dots = [
        Dot(f"{name}, seed {one.seed}", m.value, m.low, m.high, one == result.shipped)
        for name, run in result.runs.items()
        for one in run.seeds
        if (m := one.metrics.get(result.primary))
    ]
    return interval_plot(f"Test {kind.title} of every seed", f"test {kind.axis}", dots, kind.unit)


def gains_plot(result: Result) -> Markup:
    """The recommended run minus each rival, on the same test rows."""
    kind = metric(result.primary)
    dots = [
        Dot(f"over {g.rival}", g.value, g.low, g.high)
        for g in result.gains.values()
        if g.metric == result.primary
    ]
    axis = f"gain in test {kind.title}" + (f", {kind.difference.sign}" if kind.difference.sign else "")
    return interval_plot(
        f"Gain of {result.recommended} over its rivals", axis, dots, kind.difference, zero=True, signed=True
    )


def ranking_plot(result: Result) -> Markup:
    """The score of every candidate."""
    measured = [(m, i == 0) for i, m in enumerate(result.ranking) if m.scored]
    dots = [Dot(m.name, m.score, m.low, m.high, first) for m, first in measured]
    return interval_plot("Score of every candidate", f"{spoken(result.score)} (higher is better)", dots)


def opinions(ranking: Iterable[RankedModel]) -> list[str]:
    """Names of the other scores, in the order of their first appearance."""
    return list(dict.fromkeys(name for model in ranking for name in model.opinions))


def depths_plot(model: RankedModel, score: str) -> Markup:
    """The score of the features after each layer group, from input to head; the best is marked."""
    best = max(model.depths.values(), default=0.0)
    dots = [Dot(group, v, chosen=v == best) for group, v in model.depths.items()]
    return interval_plot(f"Where in {model.name} the answer lies", f"{spoken(score)} after the group", dots)


def overfitting_plot(result: Result) -> Markup:
    """Train minus test accuracy of every run."""
    dots = [
        Dot(name, o.gap.value, o.gap.low, o.gap.high, name == result.recommended)
        for name, o in result.overfitting.items()
    ]
    return interval_plot(
        "Train minus test accuracy of every run",
        "train minus test accuracy, points",
        dots,
        POINTS,
        zero=True,
        signed=True,
    )


def learning_curves(result: Result) -> list[tuple[str, Markup]]:
    """Training and validation loss over steps, run by run, all at the same height."""
    curves = {name: losses(run) for name, run in result.runs.items()}
    heights = [y for lines in curves.values() for line in lines for _, y in line.points]
    return [
        (
            name,
            line_plot(
                f"Loss of {name} over steps", "step", "loss, nats", lines, phases(result.runs[name]), heights
            ),
        )
        for name, lines in curves.items()
        if lines
    ]


def losses(run: RunSummary) -> list[Line]:
    """The run's curves of training and validation loss; a curve without points is left out."""
    kinds = (("training", "solid", "train_loss"), ("validation", "dashed", "validation_loss"))
    lines = [Line(label, kind, _points(run, key)) for label, kind, key in kinds]
    return [line for line in lines if line.points]


def _points(run: RunSummary, key: str) -> tuple[tuple[float, float], ...]:
    return tuple(
        (float(entry["step"]), float(entry[key]))
        for entry in run.history
        if _number(entry.get("step")) and _number(entry.get(key))
    )


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and isfinite(value)


def phases(run: RunSummary) -> list[tuple[float, str]]:
    """The steps at which a phase begins, where there are several: (0, "phase 1"), (40, "phase 2").

    Entries of phase 0 were made before any training.
    """
    starts: dict[Any, float] = {}
    last = 0.0
    for entry in run.history:
        if entry.get("phase"):
            starts.setdefault(entry["phase"], last)
        last = float(entry["step"]) if _number(entry.get("step")) else last
    return [(x, f"phase {phase}") for phase, x in starts.items()] if len(starts) > 1 else []


def confusion_table(confusion: Confusion) -> Markup | None:
    """The whole table, or nothing where there are too many classes to read one."""
    few = 0 < len(confusion.labels) <= MOST_CLASSES
    return heat_table(confusion.labels, confusion.matrix) if few else None


def confused_pairs(confusion: Confusion) -> list[Pair]:
    """The pairs of classes that were confused most often, at most 25."""
    pairs = [
        Pair(confusion.labels[i], confusion.labels[j], n, sum(row))
        for i, row in enumerate(confusion.matrix)
        for j, n in enumerate(row)
        if i != j and n
    ]
    return sorted(pairs, key=lambda p: -p.count)[:MOST_PAIRS]
