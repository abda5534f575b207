"""A map of choices: which strategy is taken where, by rows per class and similarity; and where one stands."""

from collections.abc import Sequence
from math import log10

from markupsafe import Markup

from warmstart.base.result import Chart
from warmstart.report.units import PLAIN

HEIGHT = 220  # pixels of the map
TOP = 6
FOOT = 40
TINTS = 6  # fills in style.css, region-0 to region-5


def region_plot(chart: Chart) -> Markup:
    """The choices as tinted fields, each with its legend, and a mark at `here`."""
    names = in_order_of_share(chart)
    columns, rows = len(chart.per_class), len(chart.similarities)
    cells = [
        field(x, rows - 1 - y, columns, rows, names.index(name) % TINTS, name)
        for y, line in enumerate(chart.strategies)
        for x, name in enumerate(line)
    ]
    told = f"Here: {chart.here[0]:g} rows of the median class, similarity {chart.here[1]:.2f}. "
    told += f"Chosen somewhere on the map: {', '.join(names)}."
    body = Markup("").join([*cells, axes(chart, columns, rows), mark(chart, columns, rows)])
    return Markup(
        '<svg class="regions" role="img" width="100%" height="{}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(TOP + HEIGHT + FOOT, "What is chosen before anything is tried", told, body)


def legend(chart: Chart) -> list[tuple[int, str]]:
    """Number of the tint and name of each strategy on the map."""
    return [(number % TINTS, name) for number, name in enumerate(in_order_of_share(chart))]


def in_order_of_share(chart: Chart) -> list[str]:
    every = [name for line in chart.strategies for name in line]
    return sorted(set(every), key=lambda name: (-every.count(name), name))


def field(x: int, y: int, columns: int, rows: int, tint: int, name: str) -> Markup:
    return Markup(
        '<rect class="region-{}" x="{:.3f}%" y="{:.2f}" width="{:.3f}%" height="{:.2f}">'
        "<title>{}</title></rect>"
    ).format(
        tint, 100 * x / columns, TOP + HEIGHT * y / rows, 100 / columns + 0.05, HEIGHT / rows + 0.5, name
    )


def axes(chart: Chart, columns: int, rows: int) -> Markup:
    below = [
        Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
            100 * (i + 0.5) / columns, TOP + HEIGHT + 16, PLAIN.show(value) if value % 1 else f"{value:,.0f}"
        )
        for i, value in enumerate(chart.per_class)
    ]
    beside = [
        Markup('<text class="tick" x="-8" y="{:.1f}" text-anchor="end">{:.1f}</text>').format(
            TOP + HEIGHT * (rows - 0.5 - i) / rows + 4, value
        )
        for i, value in enumerate(chart.similarities)
        if i % 2 == 0
    ]
    names = Markup(
        '<text class="axis" x="50%" y="{}" text-anchor="middle">training rows of the median class</text>'
    ).format(TOP + HEIGHT + 34)
    return Markup("").join([*below, *beside, names])


def mark(chart: Chart, columns: int, rows: int) -> Markup:
    """A diamond where this data set stands."""
    x = (place_of(chart.here[0], chart.per_class) + 0.5) / columns
    y = rows - 0.5 - chart.here[1] * (rows - 1)
    return Markup(
        '<svg class="mark" x="{:.2f}%" y="{:.1f}" width="1" height="1" overflow="visible">'
        '<path d="M0-9 9 0 0 9-9 0z"/></svg>'
    ).format(100 * min(1.0, max(0.0, x)), TOP + HEIGHT * y / rows)


def place_of(value: float, steps: Sequence[float]) -> float:
    """Where a value lies among ascending steps, by its logarithm; 1.5 is halfway from the second on."""
    if value <= steps[0]:
        return 0.0
    for i, (low, high) in enumerate(zip(steps, steps[1:], strict=False)):
        if value <= high:
            return i + (log10(value) - log10(low)) / (log10(high) - log10(low))
    return float(len(steps) - 1)
