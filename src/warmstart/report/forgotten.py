"""What was forgotten, as sentences and a plot that every form shares."""

from collections.abc import Iterator

from markupsafe import Markup

from warmstart.base.forgetting import Bounded, Forgetting, Forgot, Lost, Mix
from warmstart.base.result import Result
from warmstart.base.types import Measure
from warmstart.report.bands import Band, Spot, band_plot
from warmstart.report.units import PERCENT, PLAIN, POINTS
from warmstart.report.words import count

SOURCE = "the source itself"


def sentences(known: Forgetting) -> Iterator[str]:
    """What each run has lost, and how it was bounded."""
    if known.refused:
        yield f"{known.refused.saw}; {known.refused.so}"
    for run in known.runs:
        yield f"{run.run}: {lost_by(run)}"
    if known.bounded:
        yield from bound_sentences(known.bounded)


def in_short(result: Result) -> Iterator[str]:
    """For the lines of a terminal: of the recommended run, and how it was bounded."""
    known = result.forgetting
    if known is None:
        return
    of = {run.run: run for run in known.runs}
    if result.recommended in of:
        yield lost_by(of[result.recommended])
    if known.bounded:
        yield next(bound_sentences(known.bounded))


def lost_by(run: Forgot) -> str:
    """Of one run: rows that are no longer answered as before, and how far features have moved."""
    told = []
    if run.retained:
        told.append(of_rows(run.retained))
    if run.probe and run.retained and run.retained.lost.low > 0:
        told.append(f"a new head on its features would lose {points(run.probe.lost)}")
    if run.kl:
        told.append(f"KL {PLAIN.reading(run.kl.value, run.kl.low, run.kl.high)} nats a row")
    if run.cka:
        told.append(f"features alike {PLAIN.reading(run.cka.value, run.cka.low, run.cka.high)} (CKA)")
    return ", ".join(told) or "nothing could be measured"


def of_rows(lost: Lost) -> str:
    before, after = (PERCENT.show(m.value) for m in (lost.before, lost.after))
    what = "of retained rows right" if lost.name == "right" else "of retained rows answered as before"
    return f"{before} to {after} % {what}, lost {points(lost.lost)}"


def points(measure: Measure) -> str:
    return POINTS.reading(measure.value, measure.low, measure.high)


def bound_sentences(known: Bounded) -> Iterator[str]:
    """Whether the limit was met, by what, and what it cost on the new task."""
    mix = known.chosen
    if mix is None or not known.met:
        yield f"Within {known.limit}: {known.why.so}"
    else:
        bound = amount(known, mix.lost.high)
        yield f"Within {known.limit}: {known.why.so}; at most {bound} lost, as {count(mix.lost.n)} rows show"
    if mix is not None:
        ours, theirs = (PERCENT.show(m.value) for m in (mix.new, known.unbounded))
        yield f"On the validation rows of the new task {ours} % right, unbounded {theirs} %"
    if known.needed > known.rows:
        yield (
            f"{count(known.rows)} retained rows can show {known.limit} of no changed model; it takes "
            f"{count(known.needed)} at least"
        )


def amount(known: Bounded, value: float) -> str:
    if known.unit == "nats":
        return f"{value:.3f} nats"
    return f"{POINTS.show(value)} points"


def pareto(known: Bounded) -> Markup:
    """Every model that was tried: accuracy on the new task over what it loses of the old one."""
    unit = PLAIN if known.unit == "nats" else POINTS
    axis = "lost, nats" if known.unit == "nats" else "lost of the retained rows, points"
    ways = dict.fromkeys(mix.path for mix in known.mixes)
    bands = [Band(f"to {way}", "theirs", line(known, way), float("inf")) for way in ways]
    spots = [spot(known, mix) for mix in known.mixes]
    return band_plot(
        f"New task over what is lost of the old one, limit {known.limit}",
        axis,
        "validation accuracy of the new task, %",
        bands,
        spots,
        PERCENT,
        unit,
    )


def line(known: Bounded, way: str) -> tuple[tuple[float, float, float, float], ...]:
    places = [(m.lost.value, m.new.value) for m in known.mixes if m.path == way]
    return tuple((x, y, y, y) for x, y in places)


def spot(known: Bounded, mix: Mix) -> Spot:
    ours = known.chosen is not None and (mix.path, mix.alpha) == (known.chosen.path, known.chosen.alpha)
    within = "within" if mix.within else "not shown to be within"
    label = f"{mix.alpha:.0%} of the way to {mix.path}, {within} the limit"
    place = (mix.lost.value, mix.new.value, mix.new.value, mix.new.value)
    return Spot(label, "ours" if ours else "theirs", place, (mix.lost.value, mix.lost.high))
