"""The curve of one form nearest to the scores, nothing believed beforehand: weighted nonlinear least squares.

For showing a curve as a formula, and for checks. Its parameters are not what predictions come from: with few
sizes many others fit as well (fit.py averages over them).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.base.seeds import generator
from warmstart.decide.curves.forms import Floats, Form, Range
from warmstart.decide.curves.points import Point, angles, sizes

TRIED, STARTS = 2000, 8  # draws of the prior that are looked at, and that are descended from


@dataclass(frozen=True)
class Nearest:
    """One form at its least squares."""

    form: str  # "POW3"
    formula: str  # "a n^-b + c"
    parameters: tuple[float, ...]  # a, b, c and d of the formula
    misfit: float  # weighted sum of squares, on the scale of the angles
    shape: tuple[float, ...]


def nearest(form: Form, points: Sequence[Point], floor: float = 0.0) -> Nearest:
    """Least squares of the angles, each point as precise as its held-out rows make it.

    Descends from the best eight of 2,000 draws of the prior, within the bounds of the shape.
    """
    there = sizes(points)
    within = Range(there[0], there[-1], 1 - floor)
    n_P = np.array([p.n for p in points], dtype=np.float64)
    angle_P, weight_P = angles(points), np.sqrt([4.0 * p.total for p in points])

    def off(shape_K: Floats) -> Floats:
        away: Floats = weight_P * (form.angles(shape_K[None], n_P, within)[0] - angle_P)
        return away

    normals_DK = generator(0, "curve", "starts").standard_normal((TRIED, len(form.bounds)))
    shapes_DK = form.prior(normals_DK, within)
    misfit_D = ((weight_P * (form.angles(shapes_DK, n_P, within) - angle_P)) ** 2).sum(1)
    starts = shapes_DK[np.argsort(misfit_D, kind="stable")[:STARTS]]
    shape_K = min((descended(off, start, form) for start in starts), key=lambda s: float((off(s) ** 2).sum()))
    parameters = form.parameters(shape_K[None], within)[0]
    misfit = float((off(shape_K) ** 2).sum())
    return Nearest(form.name, form.formula, tuple(map(float, parameters)), misfit, tuple(map(float, shape_K)))


def descended(off: Callable[[Floats], Floats], start_K: Floats, form: Form) -> Floats:
    """The bottom of the valley in which the start lies."""
    from scipy.optimize import least_squares

    low_K, high_K = np.array(form.bounds).T
    inside_K = np.clip(start_K, low_K + 1e-6, high_K - 1e-6)
    found = least_squares(off, inside_K, bounds=(low_K, high_K), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    shape_K: Floats = found.x
    return shape_K
