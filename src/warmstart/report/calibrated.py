"""Calibration as sentences and marks: how sure a model is beside how often it is right."""

from markupsafe import Markup

from warmstart.base.calibrated import Bin, Calibrated
from warmstart.base.types import Measure
from warmstart.report.bands import Band, Spot, band_plot
from warmstart.report.units import PERCENT, Metric, Unit, metric
from warmstart.report.words import capital, count

ROWS = ("ece", "adaptive_ece", "log_loss", "brier")  # of the table
ADAPTIVE = Metric("calibration error in equal bins", PERCENT, metric("ece").difference, lower_is_better=True)


def kind(name: str) -> Metric:
    """How a measure of calibration is called and printed."""
    return ADAPTIVE if name == "adaptive_ece" else metric(name)


def change(known: Calibrated) -> str:
    """What the temperature changes on the test rows: "log-loss −0.112 nats [−0.150, −0.074], ..."."""
    told = []
    for name in ("log_loss", "ece"):
        if found := known.changes.get(name):
            unit: Unit = kind(name).difference
            reading = unit.reading(found.value, found.low, found.high, signed=True)
            told.append(f"{kind(name).title} {reading}")
    return f"{', '.join(told)} on the test rows" if told else "nothing was measured"


def verdict(known: Calibrated) -> str:
    """Whether the stated probabilities are further from the truth than chance explains."""
    found, chance = known.before.ece, known.before.by_chance
    reading = PERCENT.reading(found.value, found.low, found.high)
    bound = f"{PERCENT.show(chance.value)} % (up to {PERCENT.show(chance.high)} %)"
    so = "no more than" if found.value <= chance.high else "more than"
    return (
        f"The calibration error of {reading} is {so} what {count(found.n)} rows show by chance where every "
        f"probability is true, {bound}."
    )


def in_short(known: Calibrated) -> str:
    """One line for a terminal."""
    used = f"temperature {known.temperature:.2f}" if known.used else "no temperature"
    after = f"; {change(known)}" if known.used else ""
    return f"{used} ({known.why.so}){after}"


def sentence(known: Calibrated) -> str:
    return f"{capital(known.why.so)}. Seen: {known.why.saw}."


def table(known: Calibrated) -> list[tuple[Metric, Measure, Measure | None, Measure | None]]:
    """Each measure before, after, and its change; what was not measured is None."""
    return [
        (
            kind(name),
            getattr(known.before, name),
            getattr(known.after, name) if known.after else None,
            known.changes.get(name),
        )
        for name in ROWS
    ]


def diagram(known: Calibrated) -> Markup:
    """How often right over how sure, before and after, with the line on which the two are equal."""
    parts = [("as it is", "theirs", known.before.bins)]
    parts += [("at the temperature", "ours", known.after.bins)] if known.after else []
    spots = [spot(one, label, shape) for label, shape, bins in parts for one in bins]
    lowest = min((b.confidence for _, _, bins in parts for b in bins), default=0.0)
    line = tuple((x, x, x, x) for x in (lowest, 1.0))
    return band_plot(
        f"How often {known.run} is right over how sure it is",
        "mean probability of the answer, %",
        "share of right answers, %",
        [Band("right as often as it is sure", "theirs", line, 1.0)],
        spots,
        PERCENT,
        PERCENT,
    )


def spot(one: Bin, label: str, shape: str) -> Spot:
    name = f"{label}, {count(one.rows)} rows at {PERCENT.show(one.confidence)} %"
    return Spot(name, shape, (one.confidence, one.right.low, one.right.value, one.right.high))
