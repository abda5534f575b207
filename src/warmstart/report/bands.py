"""A mark of our own: curves with the band of their doubt, and single measurements with their intervals.

As in `figures`: pure functions, per cent across, pixels down, escaped markup.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from warmstart.report.figures import FOOT, HEAD, PLOT, foot, grid, side, svg
from warmstart.report.scale import Scale
from warmstart.report.units import PLAIN, Unit

Place = tuple[float, float, float, float]  # x, then y: low, value, high


@dataclass(frozen=True)
class Band:
    """A curve with the band of its doubt, dashed beyond `known`; `kind` is "ours" or "theirs"."""

    label: str
    kind: str
    places: tuple[Place, ...]
    known: float


@dataclass(frozen=True)
class Spot:
    """One measurement: where, and its intervals up and perhaps across."""

    label: str
    kind: str
    place: Place
    across: tuple[float, float] | None = None  # low and high of x


def band_plot(
    title: str,
    x_axis: str,
    y_axis: str,
    bands: Sequence[Band],
    spots: Sequence[Spot],
    unit: Unit = PLAIN,
    x_unit: Unit | None = None,
) -> Markup:
    """Bands below, spots above. Without an `x_unit` x is a count, and doubling is always as far."""
    places = [p for band in bands for p in band.places] + [spot.place for spot in spots]
    ends = [x for spot in spots if spot.across for x in spot.across]
    factor = 1.0 if x_unit is None else x_unit.factor
    xs = [factor * x for x in [*(p[0] for p in places), *ends]]
    across = Scale.of_counts(xs) if x_unit is None else Scale.over(xs, about=4)
    up = Scale.over([unit.factor * y for p in places for y in p[1:]], about=4)
    frame = Frame(across, up, factor, unit.factor)
    body = [grid(across, PLOT, HEAD), foot(across, x_axis, HEAD + PLOT), side(up, y_axis)]
    body += [_band(band, frame) for band in bands if len(band.places) > 1]
    body += [_spot(spot, frame) for spot in spots]
    spoken = "; ".join([*_spoken(bands, unit), *(f"{s.label}: {_reading(s.place, unit)}" for s in spots)])
    return svg("curves bands", HEAD + PLOT + FOOT, title, f"{y_axis} over {x_axis}. {spoken}.", body)


@dataclass(frozen=True)
class Frame:
    """Numbers to places in the figure."""

    across: Scale
    up: Scale
    x_factor: float
    y_factor: float

    def x(self, value: float) -> float:
        """0 to 1 from left to right."""
        return self.across.share(self.x_factor * value)

    def y(self, value: float) -> float:
        """Pixels from the top of the area."""
        return PLOT * (1 - self.up.share(self.y_factor * value))


def _band(band: Band, frame: Frame) -> Markup:
    """The band, its middle as far as it was measured, and dashed what lies beyond."""
    lows = [(p[0], p[1]) for p in band.places]
    middle = [(p[0], p[2]) for p in band.places]
    highs = [(p[0], p[3]) for p in band.places]
    reached = [p for p in middle if p[0] <= band.known]
    beyond = [*reached[-1:], *(p for p in middle if p[0] > band.known)]
    return Markup(
        '<g class="{kind}"><title>{label}</title>'
        '<svg x="0" y="{head}" width="100%" height="{plot}" viewBox="0 0 1000 {plot}"'
        ' preserveAspectRatio="none" overflow="visible"><polygon points="{area}"/>'
        '<polyline points="{reached}"/><polyline class="beyond" points="{beyond}"/></svg></g>'
    ).format(
        kind=band.kind,
        label=band.label,
        head=HEAD,
        plot=PLOT,
        area=_points([*lows, *reversed(highs)], frame),
        reached=_points(reached, frame),
        beyond=_points(beyond, frame),
    )


def _points(places: Iterable[tuple[float, float]], frame: Frame) -> str:
    return " ".join(f"{1000 * frame.x(x):.1f},{frame.y(y):.1f}" for x, y in places)


def _spot(spot: Spot, frame: Frame) -> Markup:
    x, low, value, high = spot.place
    ends = spot.across or (x, x)
    return Markup(
        '<g class="spot {kind}"><title>{label}</title>'
        '<line x1="{x}" x2="{x}" y1="{low:.1f}" y2="{high:.1f}"/>'
        '<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<circle cx="{x}" cy="{y:.1f}" r="4"/></g>'
    ).format(
        kind=spot.kind,
        label=spot.label,
        x=f"{100 * frame.x(x):.2f}%",
        left=f"{100 * frame.x(ends[0]):.2f}%",
        right=f"{100 * frame.x(ends[1]):.2f}%",
        low=HEAD + frame.y(low),
        y=HEAD + frame.y(value),
        high=HEAD + frame.y(high),
    )


def _spoken(bands: Sequence[Band], unit: Unit) -> Iterable[str]:
    for band in bands:
        if band.places:
            first, last = (f"{_reading(p, unit)} at {p[0]:,.0f}" for p in (band.places[0], band.places[-1]))
            yield f"{band.label}: from {first} to {last}"


def _reading(place: Place, unit: Unit) -> str:
    return unit.reading(place[2], place[1], place[3])
