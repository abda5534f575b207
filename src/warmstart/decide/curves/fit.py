"""Fit a learning curve: refuse what cannot be continued, average the three forms over what scores allow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from warmstart.base.seeds import generator
from warmstart.decide.curves.curve import Curve
from warmstart.decide.curves.forms import FORMS, Form, Range
from warmstart.decide.curves.noise import Floats, Seen, seen
from warmstart.decide.curves.points import Point, past_few_shot, sizes
from warmstart.decide.curves.refusal import HORIZON, Refusal, ill_behaved, too_little
from warmstart.decide.curves.sampler import sample

DRAWS = 1000  # of each form
GRID = 96  # sizes, about, evenly by their logarithm
SLOWER, FASTER = 0.8, 0.3  # sd of the log factor of bent() on its sides; set on worlds that follow no form


@dataclass(frozen=True)
class Drawn:
    """Draws of one form: curves on the grid and at the sizes, and its evidence."""

    grid_DG: Floats
    sizes_DS: Floats
    evidence: float


def fit(
    points: Iterable[Point],
    *,
    classes: int = 2,
    floor: float = 0.0,
    shared_rows: bool = True,
    likeness: float | None = None,
    draws: int = DRAWS,
) -> Curve | Refusal:
    """The curve through the points, or why there is none.

    `floor` is the score of guessing, which no prediction goes below; sizes under 10 rows per class are
    left out where three are left. `shared_rows`: all points were measured on the same held-out rows, or one's
    rows are among the other's (out-of-fold). `likeness`: correlation of two trainings' right answers on the
    same rows, where it was measured (noise.likeness); else it is averaged over 0.3 to 0.8.
    """
    every = tuple(sorted(points))
    kept = past_few_shot(every, classes)
    if refusal := too_little(kept):
        return refusal
    what = seen(kept, shared_rows, likeness)
    if refusal := ill_behaved(kept, what, floor):
        return refusal
    dropped = tuple(p for p in every if p.n < kept[0].n)
    return averaged(kept, dropped, what, 1 - floor, draws)


def averaged(
    points: tuple[Point, ...], dropped: tuple[Point, ...], what: Seen, chance: float, draws: int
) -> Curve:
    """As many draws of each form as its evidence gives it, and the noise that goes with each."""
    at_S = np.array(sizes(points), dtype=np.float64)
    grid_G = np.union1d(at_S, np.geomspace(at_S[0], HORIZON * at_S[-1], GRID).round())
    within = Range(int(at_S[0]), int(at_S[-1]), chance)
    drawn = [drawn_of(form, what, at_S, grid_G, within, draws) for form in FORMS]
    weights = shares([d.evidence for d in drawn])
    rng = generator(0, "curve", "average")
    picks = [rng.permutation(draws)[: round(w * draws)] for w in weights]
    angles_DG = np.concatenate([d.grid_DG[p] for d, p in zip(drawn, picks, strict=True)])
    angles_DS = np.concatenate([d.sizes_DS[p] for d, p in zip(drawn, picks, strict=True)])
    training_D, luck_D, likeness_D = noise_of(angles_DS, points, what, rng)
    return Curve(
        points=points,
        dropped=dropped,
        weights={form.name: w for form, w in zip(FORMS, weights, strict=True)},
        sizes_G=grid_G,
        angles_DG=angles_DG,
        training_D=training_D,
        rows_luck_D=luck_D,
        likeness_D=likeness_D,
        normals_D=rng.standard_normal(len(angles_DG)),
    )


def drawn_of(form: Form, what: Seen, at_S: Floats, grid_G: Floats, within: Range, draws: int) -> Drawn:
    def log_likelihood(normals_DK: Floats) -> Floats:
        return what.log_likelihood(form.angles(form.prior(normals_DK, within), at_S, within))

    rng = generator(0, "curve", form.name)
    normals_DK, evidence = sample(log_likelihood, len(form.bounds), draws, rng)
    shapes_DK = form.prior(normals_DK, within)
    errors_DG = bent(form.errors(shapes_DK, grid_G, within), grid_G, within.largest, rng)
    return Drawn(to_angles(errors_DG), form.angles(shapes_DK, at_S, within), evidence)


def bent(errors_DG: Floats, grid_G: Floats, largest: int, rng: np.random.Generator) -> Floats:
    """The errors, with what they lose beyond the largest size times a factor around 1 of each draw.

    No curve goes on exactly as its form does; this is the doubt that is left when the form's parameters are
    known. More curves stop than speed up. One factor for all sizes keeps each draw from rising again.
    """
    end = int(np.searchsorted(grid_G, largest))
    normal_D1 = rng.standard_normal((len(errors_DG), 1))
    factor_D1 = np.exp(np.where(normal_D1 < 0, SLOWER, FASTER) * normal_D1)
    last_D1 = errors_DG[:, end : end + 1]
    beyond_DG = np.maximum(0.0, last_D1 - factor_D1 * (last_D1 - errors_DG))
    return np.where(np.arange(len(grid_G)) > end, beyond_DG, errors_DG)


def to_angles(errors: Floats) -> Floats:
    return np.arcsin(np.sqrt(1 - errors))


def shares(evidences: Sequence[float]) -> list[float]:
    """Posterior weights of the forms, equally likely at first."""
    return [float(w) for w in np.exp(np.array(evidences) - logsumexp(evidences))]


def noise_of(
    angles_DS: Floats, points: Sequence[Point], what: Seen, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """For each curve a noise that goes with it: sd between trainings, luck of the held-out rows, likeness."""
    logs_DG = what.log_likelihoods(angles_DS)
    chances_DG = np.exp(logs_DG - logsumexp(logs_DG, axis=1, keepdims=True))
    pick_D = (chances_DG.cumsum(1) < rng.random((len(logs_DG), 1))).sum(1).clip(0, len(what.noises) - 1)
    training_D = np.array([what.noises[g].training for g in pick_D])
    likeness_D = np.array([what.noises[g].likeness for g in pick_D])
    shared_D = likeness_D * what.shared
    return training_D, luck(angles_DS, pick_D, shared_D, points, what, rng), likeness_D


def luck(
    angles_DS: Floats,
    pick_D: NDArray[np.intp],
    shared_D: Floats,
    points: Sequence[Point],
    what: Seen,
    rng: np.random.Generator,
) -> Floats:
    """Draws of what the held-out rows add to every score: a Gaussian, given the curve and the noise."""
    variance_D = shared_D / (4 * max(p.total for p in points))
    pull_GS = what.precision_GSS.sum(1)
    off_DS = what.means_GS[pick_D] - angles_DS
    mean_D = variance_D * (pull_GS[pick_D] * off_DS).sum(1)
    left_D = np.maximum(0.0, variance_D - variance_D**2 * pull_GS.sum(1)[pick_D])
    drawn: Floats = mean_D + np.sqrt(left_D) * rng.standard_normal(len(mean_D))
    return drawn
