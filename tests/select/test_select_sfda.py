"""SFDA against the paper's generalised eigenproblem, solved densely; and that it leaves its input alone."""

import numpy as np
import pytest
from oracles import papers_probabilities

from warmstart.select.scores._scoring import make_folds
from warmstart.select.scores.sfda import SCORE as Sfda
from warmstart.select.scores.sfda import _sfda


def papers_sfda(features, labels):
    """Shao 2022, section 4: regularised discriminant, ConfMix, the discriminant again."""
    classes = np.unique(labels)
    within = sum(
        (labels == c).sum() * np.cov(features[labels == c], rowvar=False, bias=True).reshape(
            features.shape[1], -1
        )
        for c in classes
    ) / len(labels)  # fmt: skip
    largest = np.linalg.eigvalsh(within).max()
    share = np.exp(-5 * largest)
    ridge = max(share, 1e-10 * largest)
    right = [list(classes).index(c) for c in labels]
    first = papers_probabilities(features, labels, share, ridge)
    mixed = features.copy()
    for i, c in enumerate(labels):
        sure = first[i, right[i]]
        mixed[i] = sure * features[i] + (1 - sure) * features[labels != c].mean(0)
    second = papers_probabilities(mixed, labels, share, ridge)
    return np.mean([second[i, right[i]] for i in range(len(labels))])


@pytest.mark.parametrize("rows, columns", [(40, 100), (60, 60), (100, 7), (60, 1)])
@pytest.mark.parametrize("scale", [0.02, 0.1, 1.0])
def test_the_score_is_the_papers(blobs, rows, columns, scale):
    features, labels = blobs(rows, columns, 3, 0.4)
    features *= scale
    features[:, columns // 2] = 0.3  # constant
    labels[labels == 2] = np.where(np.arange((labels == 2).sum()) < 1, 2, 1)  # one row of class 2
    scored = Sfda().score(features, labels, make_folds(labels))
    assert scored.value == pytest.approx(papers_sfda(features, labels), abs=1e-8)
    assert 0 < scored.value <= 1


def test_the_features_are_left_as_they_were(blobs):
    """The authors' code mixes in place, so that whatever scores next reads other features."""
    features, labels = blobs(60, 20, 3, 0.2)
    before = features.copy()
    first = Sfda().score(features, labels, make_folds(labels)).value
    assert (features == before).all()
    assert Sfda().score(features, labels, make_folds(labels)).value == first


@pytest.mark.parametrize("rows, columns", [(50, 80), (90, 20)])
def test_neither_order_nor_names_nor_rotation_nor_place_matter(blobs, rows, columns):
    features, labels = blobs(rows, columns, 4, 0.5)
    features *= 0.1
    random = np.random.default_rng(0)
    order, turn = random.permutation(rows), np.linalg.qr(random.normal(size=(columns, columns)))[0]
    expected = _sfda(features, labels)
    assert _sfda(features[order], labels[order]) == pytest.approx(expected, abs=1e-9)
    assert _sfda(features @ turn + 3, labels) == pytest.approx(expected, abs=1e-8)
    assert _sfda(features, np.array([3, 9, 1, 7])[labels]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("scale", [1e3, 1e6])
def test_features_of_any_scale_have_a_score(blobs, scale):
    features, labels = blobs(60, 200, 3, 0.5)
    assert 0 < _sfda(features * scale, labels) <= 1
