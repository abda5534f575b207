"""The three forms of a learning curve, and what is believed of their parameters before any score is seen.

POW3 and POW4 are inverse power laws, MMF is Morgan, Mercer and Flodin's growth curve (1975, PNAS 72:4327).
POW4 and MMF extrapolate best of the parametric forms that Mohr, Viering, Loog and van Rijn compare
(LCDB, ECML 2022); POW3 is what scaling laws use (Hestness et al. 2017, arXiv 1712.00409).

A form is described by its shape: the angle of its score at the largest size, which the data tell well;
the share of the error there that no label removes; the exponent; and for four-parameter forms one more.
Three to five sizes leave all but the level weakly known, so each part of a shape has a prior, written as
a map from a standard normal. Parameters in the usual notation follow from the shape.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

EXPONENT_MOST = 2.0


@dataclass(frozen=True)
class Range:
    """Where a curve is looked at: its smallest and largest size, and the error of guessing."""

    smallest: int
    largest: int
    chance: float = 1.0  # error of guessing; no form goes above it


@dataclass(frozen=True)
class Form:
    """One form: its error, its parameters from a shape, the bounds of the shape, and the prior."""

    name: str
    formula: str
    error: Callable[[Floats, Floats], Floats]  # parameters D x K, sizes N -> errors D x N
    parameters: Callable[[Floats, Range], Floats]  # shapes D x K -> parameters D x K
    prior: Callable[[Floats, Range], Floats]  # standard normals D x K -> shapes D x K
    bounds: tuple[tuple[float, float], ...]  # of the shape

    def angles(self, shapes_DK: Floats, sizes_N: Floats, within: Range) -> Floats:
        """Scores as angles, D x N."""
        return np.arcsin(np.sqrt(1 - self.errors(shapes_DK, sizes_N, within)))

    def errors(self, shapes_DK: Floats, sizes_N: Floats, within: Range) -> Floats:
        """Errors D x N, never above that of guessing."""
        errors_DN = self.error(self.parameters(shapes_DK, within), sizes_N)
        return np.clip(errors_DN, 0.0, within.chance)


def pow3_error(parameters_DK: Floats, sizes_N: Floats) -> Floats:
    a, b, c = columns(parameters_DK)
    return c + a * sizes_N**-b


def pow4_error(parameters_DK: Floats, sizes_N: Floats) -> Floats:
    a, b, c, d = columns(parameters_DK)
    return c + a * (sizes_N + d) ** -b


def mmf_error(parameters_DK: Floats, sizes_N: Floats) -> Floats:
    a, b, c, d = columns(parameters_DK)
    return c + (a - c) / (1 + sizes_N**d / b)  # (ab + c n^d) / (b + n^d), without its large numbers


def pow3_parameters(shapes_DK: Floats, within: Range) -> Floats:
    level, left, b = shapes_DK.T
    error = np.cos(level) ** 2
    return np.stack([error * (1 - left) * within.largest**b, b, error * left], axis=1)


def pow4_parameters(shapes_DK: Floats, within: Range) -> Floats:
    level, left, b, late = shapes_DK.T
    error, d = np.cos(level) ** 2, within.smallest * np.exp(late)
    return np.stack([error * (1 - left) * (within.largest + d) ** b, b, error * left, d], axis=1)


def mmf_parameters(shapes_DK: Floats, within: Range) -> Floats:
    level, left, d, start = shapes_DK.T
    error = np.cos(level) ** 2
    a, c = error + (within.chance - error) * start, error * left
    learned = np.maximum(a - error, 1e-9) / np.maximum(error - c, 1e-9)
    return np.stack([a, within.largest**d / learned, c, d], axis=1)


def pow3_prior(normals_DK: Floats, within: Range) -> Floats:
    level, left, b = normals_DK.T
    return np.stack([level_of(level, within), share_left(left), exponent(b, 0.5)], axis=1)


def pow4_prior(normals_DK: Floats, within: Range) -> Floats:
    """The power law sets in at about the smallest size, a factor of 3.3 earlier or later."""
    return np.concatenate([pow3_prior(normals_DK[:, :3], within), 1.2 * normals_DK[:, 3:]], axis=1)


def mmf_prior(normals_DK: Floats, within: Range) -> Floats:
    """Without rows the error is that of guessing, or somewhat better."""
    level, left, d, start = normals_DK.T
    return np.stack(
        [level_of(level, within), share_left(left), exponent(d, 0.8), np.sqrt(ndtr(start))], axis=1
    )


def level_of(normals: Floats, within: Range) -> Floats:
    """Any score between guessing and 100 %, evenly on the scale of the angles: the data tell this."""
    least = np.arccos(np.sqrt(within.chance))
    level: Floats = least + (np.pi / 2 - least) * ndtr(normals)
    return level


def share_left(normals: Floats) -> Floats:
    """Any share of the error may stay for ever; none or all of it is likelier than what lies between."""
    share: Floats = ndtr(1.5 * normals)
    return share


def exponent(normals: Floats, median: float) -> Floats:
    """Two thirds within a factor of two of the median, as of the exponents in the literature; at most 2."""
    return np.minimum(EXPONENT_MOST, median * np.exp(0.7 * normals))


def columns(parameters_DK: Floats) -> tuple[Floats, ...]:
    return tuple(column[:, None] for column in parameters_DK.T)


LEVEL, SHARE, EXPONENT = (0.0, np.pi / 2), (0.0, 1.0), (1e-3, EXPONENT_MOST)
POW3 = Form("POW3", "a n^-b + c", pow3_error, pow3_parameters, pow3_prior, (LEVEL, SHARE, EXPONENT))
POW4 = Form(
    "POW4",
    "a (n + d)^-b + c",
    pow4_error,
    pow4_parameters,
    pow4_prior,
    (LEVEL, SHARE, EXPONENT, (-9.0, 9.0)),
)
MMF = Form(
    "MMF",
    "(a b + c n^d) / (b + n^d)",
    mmf_error,
    mmf_parameters,
    mmf_prior,
    (LEVEL, SHARE, EXPONENT, SHARE),
)
FORMS = (POW3, POW4, MMF)
