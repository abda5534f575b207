"""The question that in-sample scores get wrong: 128 informative features, or 1024 of pure noise?"""

import inspect

import numpy as np
import pytest

from warmstart.select.rank import rank
from warmstart.select.scores import SCORES
from warmstart.select.scores._scoring import make_folds
from warmstart.select.scores.logme import _logme
from warmstart.select.scores.ncti import SCORE as Ncti
from warmstart.select.scores.ncti import combined
from warmstart.select.scores.nleep import SCORE as NLeep
from warmstart.select.scores.sfda import _sfda
from warmstart.select.scores.transrate import SCORE as TransRate

DRAWS = 20
SEPARATION = (
    0.16  # of class means, noise is 1: a probe of 100 rows answers about half of them, chance a quarter
)


def informative(rows, draw, columns=128, separation=SEPARATION):
    random = np.random.default_rng([rows, draw])
    means = random.normal(size=(4, columns)) * separation
    return random.normal(size=(rows, columns)) + means[labels_of(rows)]


def noise(rows, draw):
    return np.random.default_rng([rows, draw, 1024]).normal(size=(rows, 1024))


def labels_of(rows):
    return np.arange(rows) % 4


def right_draws(score, rows, noises):
    """In how many of 20 draws informative features score higher than noise, of which there are `noises`."""
    labels = labels_of(rows)
    floor = [score(noise(rows, draw), labels) for draw in range(noises)]
    return sum(score(informative(rows, d), labels) > floor[d % noises] for d in range(DRAWS))


def default_score(rows, repeats):
    """The score that rank uses when none is named."""
    part = SCORES.build({"name": inspect.signature(rank).parameters["score"].default})
    folds = make_folds(labels_of(rows), repeats=repeats)
    return lambda features, labels: part.score(features, labels, folds).value


@pytest.mark.parametrize("rows", [100, 300, 1000])
def test_the_default_score_ranks_informative_features_above_wide_noise_in_every_draw(rows):
    """One repeat of the folds is harder than the three that 100 rows get."""
    assert right_draws(default_score(rows, repeats=1), rows, noises=4) == DRAWS


@pytest.mark.slow
@pytest.mark.parametrize("rows", [100, 300, 1000])
def test_it_does_so_against_fresh_noise_in_every_draw_too(rows):
    assert right_draws(default_score(rows, repeats=None), rows, noises=DRAWS) == DRAWS


@pytest.mark.parametrize("rows", [100, 300])
def test_exact_logme_is_right_in_every_draw_and_the_fixed_point_in_common_use_in_none(rows):
    assert right_draws(_logme, rows, noises=4) == DRAWS
    assert right_draws(common_fixed_point, rows, noises=4) == 0


def test_what_the_common_fixed_point_lacks_is_half_of_d_minus_n_times_log_alpha():
    wide, labels = np.hstack([informative(100, 0)] * 8), labels_of(100)
    completed = common_fixed_point(wide, labels, complete=True)
    assert completed == pytest.approx(_logme(wide, labels), abs=1e-3)
    assert abs(common_fixed_point(wide, labels) - completed) > 10


def test_the_plain_h_score_prefers_noise_in_every_draw():
    assert right_draws(plain_h_score, 300, noises=4) == 0


@pytest.mark.parametrize("rows", [100, 300, 1000])
@pytest.mark.parametrize("score", [TransRate().reduction, _sfda], ids=["transrate", "sfda"])
def test_what_transrate_and_sfda_are_cautioned_for_they_prefer_noise_in_every_draw(score, rows):
    assert right_draws(score, rows, noises=1) == 0


def test_what_ncti_is_cautioned_for_it_prefers_wide_noise_to_few_features_at_100_rows():
    labels, wide = labels_of(100), noise(100, 0)
    few = [informative(100, draw, columns=16, separation=0.4) for draw in range(DRAWS)]
    assert not any(ncti_prefers(features, wide, labels) for features in few)
    default = default_score(100, repeats=1)
    assert all(default(features, labels) > default(wide, labels) for features in few)


@pytest.mark.parametrize("rows", [100, 300])
def test_among_features_of_more_than_64_columns_ncti_sees_through_noise(rows):
    labels, wide = labels_of(rows), noise(rows, 0)
    assert all(ncti_prefers(informative(rows, draw), wide, labels) for draw in range(DRAWS))


def ncti_prefers(one, other, labels):
    pool = np.array([Ncti().measure(one, labels), Ncti().measure(other, labels)])
    return np.subtract(*combined(pool)) > 0


def test_nleep_sees_through_noise_at_300_rows():
    folds = make_folds(labels_of(300), repeats=1)
    assert right_draws(lambda f, y: NLeep().score(f, y, folds).value, 300, noises=1) == DRAWS


def common_fixed_point(features, labels, complete=False):
    """LogME by the fixed point of You et al. 2022 as usually coded; `complete` adds what it lacks."""
    rows, columns = features.shape
    left, singular, _ = np.linalg.svd(features, full_matrices=False)
    sigma, evidences = singular**2, []
    for c in np.unique(labels):
        target = (labels == c).astype(float)
        squares = (left.T @ target) ** 2
        outside = target @ target - squares.sum()
        alpha = beta = 1.0
        for _ in range(1000 if complete else 11):
            t = alpha / beta
            gamma = (sigma / (sigma + t)).sum()
            m2 = (sigma * squares / (t + sigma) ** 2).sum()
            residual = (squares / (1 + sigma / t) ** 2).sum() + outside
            alpha, beta = gamma / (m2 + 1e-5), (rows - gamma) / (residual + 1e-5)
            if abs(alpha / beta - t) / t <= 1e-3:
                break
        evidence = columns * np.log(alpha) + rows * np.log(beta) - np.log(alpha + beta * sigma).sum()
        evidence -= beta * residual + alpha * m2 + rows * np.log(2 * np.pi)
        evidence -= (columns - len(sigma)) * np.log(alpha) if complete else 0.0
        evidences.append(evidence / 2 / rows)
    return float(np.mean(evidences))


def plain_h_score(features, labels):
    """tr(cov(f)^+ cov(E[f | y])) without shrinkage (Bao et al. 2019), by the hat matrix U U'."""
    left, singular, _ = np.linalg.svd(features - features.mean(0), full_matrices=False)
    left = left[:, singular > 1e-9 * singular[0]]
    member = np.eye(4)[labels]
    return float(np.square(left.T @ (member / np.sqrt(member.sum(0)))).sum())
