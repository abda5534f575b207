"""What labels and pretrained weights are worth, as sentences and marks that every form shares."""

from collections.abc import Iterator, Sequence
from shlex import quote

from markupsafe import Markup

from warmstart.base.probed import Dependency, Growth, LabelBudget, Several, Start, Target
from warmstart.base.result import Result
from warmstart.base.types import Measure, Reason
from warmstart.report.bands import Band, Spot, band_plot
from warmstart.report.figures import Dot, interval_plot
from warmstart.report.units import PERCENT, POINTS
from warmstart.report.words import clock, count

ACCURACY = "test accuracy, %"


def how(result: Result, name: str) -> str:
    """The command that asks for a probe."""
    return f"warmstart prove {quote(result.run)} --probe {name}"


def label_sentences(known: LabelBudget) -> Iterator[str]:
    """What the curve says, the most asked for first; or why there is no curve."""
    if known.plan.refused:
        yield f"No curve can be drawn for {known.run}: {why(known.plan.refused)}"
        return
    for worth in known.worth:
        gain = POINTS.reading(worth.gain.value, worth.gain.low, worth.gain.high, signed=True)
        yield f"the next {count(worth.more)} labels are worth {gain}"
    yield from map(target, known.targets)
    if known.scratch and known.scratch.refused:
        yield f"No curve can be drawn for learning from scratch: {why(known.scratch.refused)}"
    elif known.times or known.refused:
        yield from_scratch(known)


def labels_in_short(known: LabelBudget) -> list[str]:
    """The same for lines of a terminal: of the nearest number of labels, and of learning from scratch."""
    every = list(label_sentences(known))
    return list(dict.fromkeys((every[0], every[-1])))


def target(goal: Target) -> str:
    """How many labels an accuracy takes."""
    accuracy = f"{PERCENT.show(goal.accuracy)} %"
    if goal.rows is None:
        return f"{accuracy} is beyond what can be foreseen" + (
            f" ({goal.refused.saw})" if goal.refused else ""
        )
    return f"{accuracy} takes {several(goal.rows, '{:,.0f}')} labels"


def from_scratch(known: LabelBudget) -> str:
    """How many times the labels it takes without pretrained weights, or that this cannot be told."""
    reached = f"{PERCENT.show(known.reached)} %"
    times = known.times
    if times is None or (times.low <= 0 and times.high is None):
        told = f": {why(known.refused)}" if known.refused else ""
        return f"whether learning from scratch needs more or fewer labels for {reached} cannot be told{told}"
    return f"from scratch it takes {several(times, '{:.1f}', '×')} the labels for {reached}"


def several(found: Several, form: str, sign: str = "") -> str:
    """ "3,100 [1,900, more]", "more than 4.0× [2.5×, more]"."""
    high = form.format(found.high) + sign if found.high is not None else "more"
    middle = f"{found.bound} {form.format(found.value)}{sign}".strip()
    return f"{middle} [{form.format(found.low)}{sign}, {high}]"


def why(reason: Reason) -> str:
    return f"{reason.so} ({reason.rule.removeprefix('learning curve: ')}; seen: {reason.saw})"


def price(known: LabelBudget | Dependency) -> str:
    return f"{count(known.trainings)} trainings, {clock(known.seconds)}"


def weight_sentences(known: Dependency) -> Iterator[str]:
    """How far each weaker start is behind, the nearest first; or why nothing was tried."""
    if known.refused:
        yield f"Nothing to measure: {known.refused.so} ({known.refused.saw})"
    for start in in_order(known.starts):
        yield f"{start.plain}: {lost(start)}{', ' + good(start.quality) if start.quality else ''}"


def weights_in_short(known: Dependency) -> str:
    """The same for a line of a terminal: which weaker starts are shown to end lower, and by how much."""
    if known.refused:
        return next(weight_sentences(known))
    lower = [f"{start.name} {lost(start)}" for start in in_order(known.starts) if start.behind.low > 0]
    told = ", ".join(lower) or f"none of {len(known.starts)}"
    return f"of other starts these are shown to end lower: {told}"


def lost(start: Start) -> str:
    """What the recipe loses from there: "−1.3 points [−2.2, −0.4]"."""
    gain = start.behind
    return POINTS.reading(-gain.value, -gain.high, -gain.low, signed=True)


def good(quality: Measure) -> str:
    return f"frozen features {PERCENT.reading(quality.value, quality.low, quality.high)} right"


def in_order(starts: Sequence[Start]) -> list[Start]:
    """Best features first; those that were not measured last."""
    return sorted(starts, key=lambda s: -s.quality.value if s.quality else 1.0)


def shown_to_lose(known: Dependency) -> list[str]:
    """Starts whose interval of the difference lies below that of the plan's own."""
    return [start.name for start in in_order(known.starts) if start.behind.low > 0]


def labels_plot(known: LabelBudget) -> Markup:
    """The curve of the plan with its band, what was measured, and scratch beside it."""
    arms = [(known.run, "ours", known.plan)]
    arms += [("scratch", "theirs", known.scratch)] if known.scratch else []
    bands = [Band(name, kind, along(grown), last(grown)) for name, kind, grown in arms[::-1]]
    spots = [spot for name, kind, grown in arms[::-1] for spot in measured(name, kind, grown)]
    return band_plot(
        f"Test accuracy of {known.run} over labelled rows",
        "labelled training rows (log scale)",
        ACCURACY,
        bands,
        spots,
        PERCENT,
    )


def along(grown: Growth) -> tuple[tuple[float, float, float, float], ...]:
    return tuple((e.rows, e.accuracy.low, e.accuracy.value, e.accuracy.high) for e in grown.expected)


def last(grown: Growth) -> float:
    return max((one.rows for one in grown.measured), default=0)


def measured(name: str, kind: str, grown: Growth) -> Iterator[Spot]:
    for one in grown.measured:
        accuracy = one.accuracy
        label = f"{name}, {count(one.rows)} rows, seed {one.seed}"
        yield Spot(label, kind, (one.rows, accuracy.low, accuracy.value, accuracy.high))


def weights_plot(known: Dependency) -> Markup | None:
    """Tuned accuracy over what the pretrained model was worth before; nothing where that is not known."""
    starts = [(s.plain, "theirs", s.quality, s.accuracy) for s in in_order(known.starts)]
    ours = [("the weights as they are", "ours", known.quality, known.accuracy)]
    spots = [
        Spot(name, kind, (q.value, a.low, a.value, a.high), (q.low, q.high))
        for name, kind, q, a in starts + ours
        if q is not None and a is not None
    ]
    if len(spots) < 2:
        return None
    line = tuple(sorted((s.place[0], s.place[2], s.place[2], s.place[2]) for s in spots))
    return band_plot(
        f"Test accuracy of {known.run}, tuned, over how good the weights were before",
        "accuracy of a linear probe on the frozen features, %",
        ACCURACY,
        [Band("in the order of the weights", "theirs", line, line[-1][0])],
        spots,
        PERCENT,
        PERCENT,
    )


def losses_plot(known: Dependency) -> Markup:
    """What the recipe loses from every other start."""
    dots = [
        Dot(s.name, -s.behind.value, -s.behind.high, -s.behind.low, s.behind.low > 0)
        for s in in_order(known.starts)
    ]
    return interval_plot(
        f"Accuracy from other weights minus that of {known.run}",
        "difference in test accuracy, points",
        dots,
        POINTS,
        zero=True,
        signed=True,
    )
