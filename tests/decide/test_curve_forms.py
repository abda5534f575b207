"""The three forms: known curves are found again, and least squares is scipy's."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import curve_fit

from warmstart.decide.curves.forms import FORMS, MMF, POW3, POW4, Range
from warmstart.decide.curves.least import nearest
from warmstart.decide.curves.points import Point, angles

SIZES = np.array([50, 100, 200, 400, 700, 1000], dtype=float)
FAR = np.array([50, 300, 1000, 2000, 4000], dtype=float)
ENDLESS = 10**9  # held-out rows: no noise

TRUTHS = [
    *((POW3, (a * 50**b, b, c)) for a, b, c in product((0.2, 0.7), (0.2, 0.6, 1.5), (0.0, 0.1))),
    *((POW4, (0.5 * (50 + d) ** b, b, c, d)) for b, c, d in product((0.3, 1.2), (0.0, 0.1), (20, 300))),
    *((MMF, (0.8, half**d, c, d)) for half, c, d in product((40, 400), (0.0, 0.1), (0.5, 1.5))),
]


def measured(form, parameters, sizes=SIZES, rows=ENDLESS):
    errors = form.error(np.array([parameters]), np.asarray(sizes, dtype=float))[0]
    return [Point(int(n), rows * (1 - e), rows) for n, e in zip(sizes, errors, strict=True)]


@pytest.mark.parametrize(("form", "truth"), TRUTHS, ids=lambda x: getattr(x, "name", str(x)))
def test_a_curve_without_noise_is_found_again(form, truth):
    found = nearest(form, measured(form, truth))
    assert found.parameters == pytest.approx(truth, rel=1e-3, abs=1e-3)
    predicted, true = (form.error(np.array([p]), FAR)[0] for p in (found.parameters, truth))
    assert predicted == pytest.approx(true, abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_least_squares_is_scipys(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(200, 2000, len(SIZES))
    scores = 1 - (0.1 + 4 * SIZES**-0.7)
    points = [
        Point(int(n), int(rng.binomial(m, s)), int(m)) for n, s, m in zip(SIZES, scores, rows, strict=True)
    ]
    ours = nearest(POW3, points)

    def angle(n, a, b, c):
        return np.arcsin(np.sqrt(np.clip(1 - (a * n**-b + c), 0, 1)))

    theirs, _ = curve_fit(
        angle, SIZES, angles(points), p0=(4, 0.7, 0.1), sigma=1 / np.sqrt(4 * rows), maxfev=20000,
        bounds=([0, 1e-3, 0], [np.inf, 2, 1]), x_scale=(1, 0.1, 0.1), xtol=1e-12, ftol=1e-12,
    )  # fmt: skip
    misfit = float((4 * rows * (angle(SIZES, *theirs) - angles(points)) ** 2).sum())
    assert ours.misfit <= misfit + 1e-6
    assert POW3.error(np.array([ours.parameters]), FAR)[0] == pytest.approx(
        POW3.error(np.array([theirs]), FAR)[0], abs=1e-3
    )


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_curve_of_a_prior_falls_from_chance_to_zero_within_its_bounds(form):
    within = Range(50, 400, chance=0.75)
    shapes = form.prior(np.random.default_rng(0).standard_normal((500, len(form.bounds))), within)
    errors = form.errors(shapes, np.geomspace(1, 1e5, 60), within)
    low, high = np.array(form.bounds).T
    assert (shapes >= low).all() and (shapes <= high).all()
    assert errors.min() >= 0 and errors.max() <= 0.75
    assert (np.diff(errors, axis=1) <= 1e-12).all()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_the_parameters_of_a_shape_give_its_level_at_the_largest_size(form):
    within = Range(50, 400)
    shapes = form.prior(np.random.default_rng(1).standard_normal((50, len(form.bounds))), within)
    assert form.angles(shapes, np.array([400.0]), within)[:, 0] == pytest.approx(shapes[:, 0], abs=1e-6)


def test_mmf_is_the_published_formula():
    a, b, c, d, n = 0.8, 30.0, 0.1, 0.7, np.array([10.0, 500.0])
    published = (a * b + c * n**d) / (b + n**d)
    assert MMF.error(np.array([[a, b, c, d]]), n)[0] == pytest.approx(published)
