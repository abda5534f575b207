"""NCTI against scikit-learn's components and a dense discriminant; and how it changes with its company."""

import numpy as np
import pytest
from oracles import papers_probabilities
from scipy.linalg import eigh
from sklearn.decomposition import PCA

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._scoring import make_folds
from warmstart.select.scores.ncti import SCORE as Ncti


def papers_parts(features, labels, directions=64):
    rows = PCA(min(directions, *features.shape), svd_solver="full").fit_transform(features)
    classes = np.unique(labels)
    means = np.stack([rows[labels == c].mean(0) for c in classes])
    codes = np.searchsorted(classes, labels)
    within = (rows - means[codes]).T @ (rows - means[codes]) / len(rows)
    largest = np.linalg.eigvalsh(within).max()
    share = np.exp(-5 * largest)
    ridge = max(share, 1e-10 * largest)
    between = sum((labels == c).mean() * np.outer(m, m) for c, m in zip(classes, means, strict=True))
    _, vectors = eigh(between, (1 - share) * within + ridge * np.eye(rows.shape[1]))
    low = rows @ vectors[:, ::-1][:, : min(len(classes) - 1, rows.shape[1])]
    shares = papers_probabilities(rows, labels, share, ridge)
    compact = sum(np.linalg.norm(shares[labels == c], ord="nuc") for c in classes)
    right = np.mean(shares[np.arange(len(rows)), codes])
    return [np.linalg.norm(low, ord="nuc"), right, -np.log(compact)]


def papers_ncti(pool, labels):
    parts = np.array([papers_parts(features, labels) for features in pool])
    return ((parts - parts.mean(0)) / parts.std(0)).sum(1)


@pytest.fixture
def pool(blobs):
    def make(rows, separations=(0.1, 0.3, 0.6)):
        labels = np.arange(rows) % 3
        labels[labels == 2] = np.where(np.arange((labels == 2).sum()) < 1, 2, 1)  # one row of class 2
        made = [
            0.1 * blobs(rows, columns, 3, s, seed=i)[0]
            for i, (s, columns) in enumerate(zip(separations, (120, 40, 9), strict=True))
        ]
        return made, labels

    return make


def together(pool, labels, folds=None):
    folds = folds or make_folds(labels)
    return Ncti().together([Ncti().parts(features, labels, folds) for features in pool])


@pytest.mark.parametrize("rows", [40, 120, 200])
def test_the_parts_are_the_papers(pool, rows):
    features, labels = pool(rows)
    for each in features:
        assert Ncti().measure(each, labels) == pytest.approx(papers_parts(each, labels), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("rows", [120, 200])
def test_the_values_are_the_parts_standardised_over_the_candidates(pool, rows):
    features, labels = pool(rows)
    values = [scored.value for scored in together(features, labels)]
    assert values == pytest.approx(papers_ncti(features, labels), abs=1e-6)
    assert sum(values) == pytest.approx(0, abs=1e-9)


def test_the_interval_leaves_each_fold_out_of_all_candidates(pool):
    features, labels = pool(120)
    folds = make_folds(labels, repeats=1)
    found = together(features, labels, folds)
    for place, test in enumerate(folds.tests[0]):
        kept = np.delete(np.arange(120), test)
        expected = papers_ncti([f[kept] for f in features], labels[kept])
        assert [s.without_RK[0, place] for s in found] == pytest.approx(expected, abs=1e-6)


def test_neither_rotation_nor_place_nor_the_order_of_candidates_matters(pool):
    features, labels = pool(120)
    expected = [s.value for s in together(features, labels)]
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 40)))[0]
    moved = [features[2], features[1] @ turn + 7, features[0]]
    assert [s.value for s in together(moved, labels)][::-1] == pytest.approx(expected, abs=1e-6)


def test_a_value_changes_with_the_company_and_equals_have_none(pool):
    """What its caution is about."""
    features, labels = pool(120)
    three, two = together(features, labels), together(features[:2], labels)
    assert abs(three[0].value - two[0].value) > 0.1
    assert [s.value for s in together([features[0]] * 3, labels)] == [0, 0, 0]


def test_no_direction_is_refused():
    with pytest.raises(WarmstartError, match="at least 1"):
        Ncti(directions=0)
