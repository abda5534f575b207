"""LogME against the dense Gaussian evidence: equal where it claims its maximum, and nowhere is it larger."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from warmstart.select.scores._scoring import make_folds
from warmstart.select.scores.logme import SCORE, maximise


def dense(features, target, alpha, beta):
    """log p(y | F, alpha, beta) as the density of a multivariate normal, nothing clever."""
    covariance = features @ features.T / alpha + np.eye(len(target)) / beta
    return multivariate_normal(cov=covariance, allow_singular=False).logpdf(target)


SHAPES = [(60, 150), (60, 60), (60, 20), (12, 3)]


@pytest.mark.parametrize("rows, columns", SHAPES)
@pytest.mark.parametrize("separation", [0.0, 0.4, 2.0])
def test_the_value_is_the_dense_evidence_at_its_alpha_and_beta(blobs, rows, columns, separation):
    features, labels = blobs(rows, columns, 3, separation)
    targets = np.eye(3)[labels]
    found = maximise(features, targets)
    for c in range(3):
        expected = dense(features, targets[:, c], found.alpha_C[c], found.beta_C[c])
        assert found.per_row_C[c] * rows == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("rows, columns", [(30, 80), (30, 30), (30, 10)])
@pytest.mark.parametrize("separation", [0.0, 0.4, 2.0])
def test_no_search_over_alpha_and_beta_finds_a_better_value(blobs, rows, columns, separation):
    """The search is coarse where the maximum lies at a rim: alpha = infinity without a signal, beta =
    infinity where wide features answer every row. It must come near, and never above."""
    features, labels = blobs(rows, columns, 3, separation)
    target = np.eye(3)[labels][:, 0]
    mine = float(maximise(features, target[:, None]).per_row_C[0]) * rows

    def loss(logs):
        try:
            return -dense(features, target, *np.exp(np.clip(logs, -3, 16)))
        except np.linalg.LinAlgError:
            return np.inf

    starts = [(a, b) for a in (0.0, 4.0, 8.0) for b in (0.0, 4.0)]
    best = max(-minimize(loss, s, method="Nelder-Mead", options={"maxfev": 200}).fun for s in starts)
    assert mine >= best - 1e-6
    assert mine == pytest.approx(best, abs=0.05)


@pytest.mark.parametrize("columns", [40, 200])
def test_inside_its_range_it_is_a_fixed_point_of_mackays_updates(blobs, columns):
    features, labels = blobs(80, columns, 2, 0.15)
    target = (labels == 1).astype(float)
    found = maximise(features, target[:, None])
    alpha, beta = found.alpha_C[0], found.beta_C[0]
    precision = alpha * np.eye(columns) + beta * features.T @ features
    mean = beta * np.linalg.solve(precision, features.T @ target)
    effective = columns - alpha * np.trace(np.linalg.inv(precision))
    assert effective / (mean @ mean) == pytest.approx(alpha, rel=1e-2)
    assert (80 - effective) / np.sum((target - features @ mean) ** 2) == pytest.approx(beta, rel=1e-2)


def test_the_score_is_the_mean_over_classes_and_does_not_mind_the_order_of_rows(blobs):
    features, labels = blobs(90, 120, 3, 0.3)
    folds = make_folds(labels)
    scored = SCORE().score(features, labels, folds)
    assert scored.value == pytest.approx(maximise(features, np.eye(3)[labels]).per_row_C.mean())
    order = np.random.default_rng(0).permutation(90)
    shuffled = SCORE().score(features[order], labels[order], folds)
    assert shuffled.value == pytest.approx(scored.value, abs=1e-9)
    assert scored.low < scored.value < scored.high
    assert scored.without_RK.shape == (3, 5)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_scale_of_the_features_does_not_matter(blobs, scale):
    features, labels = blobs(60, 100, 2, 0.4)
    targets = np.eye(2)[labels]
    assert maximise(features * scale, targets).per_row_C == pytest.approx(
        maximise(features, targets).per_row_C, abs=1e-7
    )


def test_a_perfect_feature_has_a_finite_score_and_the_best(blobs):
    features, labels = blobs(100, 5, 2, 1.0)
    perfect = np.column_stack([features, labels == 0, labels == 1])
    folds = make_folds(labels)
    best, good = (SCORE().score(f, labels, folds).value for f in (perfect, features))
    assert np.isfinite(best) and best > good + 1


def test_duplicate_and_constant_columns_do_no_harm(blobs):
    features, labels = blobs(100, 6, 2, 0.5)
    targets = np.eye(2)[labels]
    doubled = np.column_stack([features, features]) / np.sqrt(2)  # the same F F'
    padded = np.column_stack([features, np.zeros((100, 3))])
    expected = maximise(features, targets).per_row_C
    assert maximise(doubled, targets).per_row_C == pytest.approx(expected, abs=1e-8)
    assert maximise(padded, targets).per_row_C == pytest.approx(expected, abs=1e-8)
