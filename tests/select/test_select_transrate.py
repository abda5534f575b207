"""TransRate against the paper's formula with dense D x D determinants, one class after the other."""

import numpy as np
import pytest

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._scoring import make_folds
from warmstart.select.scores.transrate import SCORE as TransRate


def papers_rate(rows, epsilon):
    matrix = np.eye(rows.shape[1]) + rows.T @ rows / (len(rows) * epsilon)
    return 0.5 * np.log(np.linalg.eigvalsh(matrix)).sum()


def papers_transrate(features, labels, epsilon):
    features = features - features.mean(0)
    classes = np.unique(labels)
    within = sum(papers_rate(features[labels == c], epsilon) for c in classes)
    return papers_rate(features, epsilon) - within / len(classes)


@pytest.mark.parametrize("rows, columns", [(40, 100), (60, 60), (100, 7), (12, 1)])
@pytest.mark.parametrize("epsilon", [1e-4, 0.1])
def test_the_score_is_the_papers(blobs, rows, columns, epsilon):
    features, labels = blobs(rows, columns, 3, 0.8)
    features[:, -1] = 3.0
    labels[labels == 2] = 1
    labels[0] = 2  # one row
    scored = TransRate(epsilon=epsilon).score(features, labels, make_folds(labels))
    assert scored.value == pytest.approx(papers_transrate(features, labels, epsilon), abs=1e-8)
    assert scored.low <= scored.value <= scored.high


def test_neither_order_nor_names_nor_rotation_nor_place_matter(blobs):
    features, labels = blobs(50, 80, 4, 0.5)
    random = np.random.default_rng(0)
    order, turn = random.permutation(50), np.linalg.qr(random.normal(size=(80, 80)))[0]
    expected = TransRate().reduction(features, labels)
    assert TransRate().reduction(features[order], labels[order]) == pytest.approx(expected, abs=1e-8)
    assert TransRate().reduction(features @ turn + 9, labels) == pytest.approx(expected, abs=1e-7)
    assert TransRate().reduction(features, np.array([3, 9, 1, 7])[labels]) == pytest.approx(expected)


def test_it_is_blind_to_two_classes_of_like_size_however_far_apart():
    """What its docstring warns of: around the mean of all, both have the second moments of all."""
    half = np.random.default_rng(0).normal(size=(100, 6))
    apart = np.vstack([half + 50, -half - 50])
    assert TransRate().reduction(apart, np.repeat([0, 1], 100)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, np.inf])
def test_a_distortion_that_is_none_is_refused(epsilon):
    with pytest.raises(WarmstartError, match="above 0"):
        TransRate(epsilon=epsilon)
