"""Marks of our own: interval plot, line plot and heat table. Pure functions from numbers to safe markup.

Positions across are per cent of the width and positions down are pixels, so that a figure fits every screen
without a script and its text keeps its size. `Markup.format` escapes every name that came from the user.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, nan

from markupsafe import Markup

from warmstart.report.scale import Scale
from warmstart.report.units import PLAIN, Unit
from warmstart.report.words import short

ROW = 40  # height of one row of an interval plot, pixels
LINE = 24  # where in its row the interval lies
FOOT = 40  # height of the axis below
PLOT = 200  # height of a line plot's area
HEAD = 18  # room above it for the names of the phases


@dataclass(frozen=True)
class Dot:
    """A value with its interval, if it has one, in one row of an interval plot."""

    label: str
    value: float
    low: float = nan
    high: float = nan
    chosen: bool = False


@dataclass(frozen=True)
class Line:
    """A curve through points (x, y); `kind` is "solid" or "dashed"."""

    label: str
    kind: str
    points: tuple[tuple[float, float], ...]


def interval_plot(
    title: str, axis: str, dots: Sequence[Dot], unit: Unit = PLAIN, zero: bool = False, signed: bool = False
) -> Markup:
    """Rows of value and interval over one axis; the chosen row is a filled diamond, the others rings.

    `zero` draws the line of no difference and keeps it in view.
    """
    dots = [d for d in dots if isfinite(d.value)]
    ends = [v * unit.factor for d in dots for v in (d.value, d.low, d.high)]
    scale = Scale.over([*ends, 0.0] if zero else ends)
    depth = ROW * len(dots)
    body = [grid(scale, depth), foot(scale, axis, depth)]
    if zero:
        body.append(
            Markup('<line class="zero" x1="{0}" x2="{0}" y1="0" y2="{1}"/>').format(scale.across(0), depth)
        )
    body += [_dot_row(dot, i * ROW, scale, unit, signed) for i, dot in enumerate(dots)]
    spoken = "; ".join(f"{d.label}: {unit.reading(d.value, d.low, d.high, signed)}" for d in dots)
    return svg("intervals", depth + FOOT, title, f"{axis}. {spoken}.", body)


def _dot_row(dot: Dot, top: int, scale: Scale, unit: Unit, signed: bool) -> Markup:
    mark = '<path d="M0-7 7 0 0 7-7 0z"/>' if dot.chosen else '<circle r="4.5"/>'
    return Markup(
        '<g class="{kind}"><title>{label}: {reading}</title>'
        '<text class="name" x="0" y="{base}">{name}</text>'
        '<text class="reading" x="100%" y="{base}">{reading}</text>{span}'
        '<svg class="mark" x="{x}" y="{y}" width="1" height="1" overflow="visible">{mark}</svg></g>'
    ).format(
        kind="row chosen" if dot.chosen else "row",
        label=dot.label,
        name=short(dot.label, 22),
        reading=unit.reading(dot.value, dot.low, dot.high, signed),
        base=top + 10,
        span=_span(dot, top + LINE, scale, unit),
        x=scale.across(dot.value * unit.factor),
        y=top + LINE,
        mark=Markup(mark),
    )


def _span(dot: Dot, y: int, scale: Scale, unit: Unit) -> Markup:
    """The line from one end of the interval to the other."""
    if not (isfinite(dot.low) and isfinite(dot.high)):
        return Markup("")
    ends = (scale.across(v * unit.factor) for v in (dot.low, dot.high))
    return Markup('<line class="span" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(*ends, y=y)


def line_plot(
    title: str,
    x_axis: str,
    y_axis: str,
    lines: Sequence[Line],
    marks: Sequence[tuple[float, str]] = (),
    heights: Iterable[float] = (),
) -> Markup:
    """Curves over one pair of axes; `marks` are named places on the x axis, `heights` are kept in view."""
    points = [p for line in lines for p in line.points]
    end = max((x for x, _ in points), default=1.0)
    across = Scale.over([0.0, end], about=max(1, min(4, int(end))), tight=True)  # steps are whole
    up = Scale.over([*heights, *(y for _, y in points)], about=4)
    body = [grid(across, PLOT, HEAD), foot(across, x_axis, HEAD + PLOT), side(up, y_axis)]
    body += _phases(across, marks)
    body += [_curve(line, across, up) for line in lines if line.points]
    spoken = "; ".join(
        f"{line.label}: from {PLAIN.show(line.points[0][1])} to {PLAIN.show(line.points[-1][1])}"
        for line in lines
        if line.points
    )
    return svg("curves", HEAD + PLOT + FOOT, title, f"{y_axis} over {x_axis}. {spoken}.", body)


def _curve(line: Line, across: Scale, up: Scale) -> Markup:
    """The curve in a stretched frame (its stroke is not), and a dot at its end."""
    where = " ".join(f"{1000 * across.share(x):.1f},{PLOT * (1 - up.share(y)):.1f}" for x, y in line.points)
    x, y = line.points[-1]
    return Markup(
        '<g class="line {kind}"><title>{label}</title>'
        '<svg x="0" y="{head}" width="100%" height="{plot}" viewBox="0 0 1000 {plot}"'
        ' preserveAspectRatio="none" overflow="visible"><polyline points="{where}"/></svg>'
        '<circle cx="{cx}" cy="{cy:.1f}" r="3"/></g>'
    ).format(
        kind=line.kind,
        label=line.label,
        head=HEAD,
        plot=PLOT,
        where=where,
        cx=across.across(x),
        cy=HEAD + PLOT * (1 - up.share(y)),
    )


def _phases(scale: Scale, marks: Sequence[tuple[float, str]]) -> list[Markup]:
    """A line where each phase begins, with its name where there is room before the next."""
    line = Markup('<line class="phase" x1="{0}" x2="{0}" y1="4" y2="{1}"><title>{2}</title></line>')
    text = Markup('<text class="phase" x="{0}" y="12" dx="3">{1}</text>')
    ends = [*(scale.share(x) for x, _ in marks[1:]), 1.0]
    return [
        line.format(scale.across(x), HEAD + PLOT, name)
        + (text.format(scale.across(x), name) if end - scale.share(x) > 0.17 else Markup(""))
        for (x, name), end in zip(marks, ends, strict=False)
    ]


def side(scale: Scale, name: str) -> Markup:
    """The y axis: numbers left of the area, thin lines through it, its name on top."""
    rows = [
        Markup(
            '<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
            '<text class="tick" x="-8" y="{t:.1f}" text-anchor="end">{name}</text>'
        ).format(y=HEAD + PLOT * (1 - s), t=HEAD + PLOT * (1 - s) + 4, name=tick)
        for s, tick in zip(map(scale.share, scale.ticks), scale.names(), strict=True)
    ]
    return Markup("").join(rows) + Markup('<text class="axis" x="-44" y="-8">{}</text>').format(name)


def grid(scale: Scale, depth: int, top: int = 0) -> Markup:
    line = Markup('<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>')
    return Markup("").join(line.format(x=scale.across(t), top=top, bottom=top + depth) for t in scale.ticks)


def foot(scale: Scale, name: str, depth: int) -> Markup:
    """The x axis below: its numbers, then its name with the unit."""
    tick = Markup('<text class="tick" x="{x}" y="{y}" text-anchor="middle">{name}</text>')
    numbers = [
        tick.format(x=scale.across(t), y=depth + 16, name=text)
        for t, text in zip(scale.ticks, scale.names(), strict=True)
    ]
    title = Markup('<text class="axis" x="50%" y="{}" text-anchor="middle">{}</text>').format(
        depth + 34, name
    )
    return Markup("").join(numbers) + title


def svg(kind: str, height: int, title: str, told: str, body: Iterable[Markup]) -> Markup:
    return Markup(
        '<svg class="{}" role="img" width="100%" height="{}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(kind, height, title, told, Markup("").join(body))


def heat_table(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> Markup:
    """Counts of rows by true class (down) and answer (across).

    Right answers, on the diagonal, are framed, and tinted by their share of the class; wrong ones have
    another tint, by their number against the most frequent confusion.
    """
    slim = max((len(label) for label in labels), default=0) <= 4
    head = [
        Markup('<th scope="col"{1} title="{0}"><span>{2}</span></th>').format(
            label, "" if slim else Markup(' class="tall"'), short(label, 18)
        )
        for label in labels
    ]
    worst = max((n for i, row in enumerate(matrix) for j, n in enumerate(row) if i != j), default=0)
    rows = [_heat_row(i, label, matrix[i], worst) for i, label in enumerate(labels)]
    return Markup(
        '<table class="heat"><thead><tr><th scope="col">true ↓ called →</th>{}</tr></thead>'
        "<tbody>{}</tbody></table>"
    ).format(Markup("").join(head), Markup("").join(rows))


def _heat_row(row: int, label: str, counts: Sequence[int], worst: int) -> Markup:
    cells = [
        Markup('<td class="{} t{}">{}</td>').format(
            "right" if row == column else "wrong",
            _tint(n, sum(counts) if row == column else worst),
            f"{n:,}" if n else "·",
        )
        for column, n in enumerate(counts)
    ]
    return Markup('<tr><th scope="row" title="{}">{}</th>{}</tr>').format(
        label, short(label, 24), Markup("").join(cells)
    )


def _tint(count: int, most: int) -> int:
    """A step from 0 (none) to 5 (all); anything at all is at least 1."""
    return ceil(5 * count / most) if count else 0
