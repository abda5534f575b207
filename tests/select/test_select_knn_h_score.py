"""kNN against scikit-learn's classifier; shrinkage H-score against the paper's formula, densely."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._scoring import Folds, make_folds
from warmstart.select.scores.h_score import SCORE as HScore
from warmstart.select.scores.h_score import ledoit_wolf
from warmstart.select.scores.knn import SCORE as NearestNeighbours


@pytest.mark.parametrize("rows, columns, classes", [(100, 300, 4), (250, 12, 3), (60, 5, 2)])
@pytest.mark.parametrize("k", [1, 5])
def test_each_row_is_answered_as_sklearn_answers_it(blobs, rows, columns, classes, k):
    features, labels = blobs(rows, columns, classes, 0.3)
    folds = make_folds(labels)
    hits = np.zeros(rows)
    for train, test in folds.splits():
        scaler = StandardScaler().fit(features[train])
        model = KNeighborsClassifier(k, metric="cosine").fit(scaler.transform(features[train]), labels[train])
        hits[test] += model.predict(scaler.transform(features[test])) == labels[test]
    scored = NearestNeighbours(neighbours=k).score(features, labels, folds)
    assert (scored.rows_N == hits / len(folds.tests)).all()
    assert scored.value == pytest.approx(hits.mean() / len(folds.tests))


def test_rows_at_the_same_distance_share_the_votes_whatever_their_order():
    """Six copies of one point, four of class 1: of five votes class 1 gets 5 * 4/6, in any order."""
    labels = np.array([0, 0, 1, 1, 1, 1] * 4)
    features = np.tile([[1.0, 2.0]], (24, 1)) * np.repeat([1, -1], 12)[:, None]
    folds = make_folds(labels, repeats=1)
    here = NearestNeighbours().score(features, labels, folds)
    assert (here.hits_N == (labels == 1)).all()
    order = np.random.default_rng(0).permutation(24)
    place = np.argsort(order)
    moved = Folds((tuple(np.sort(place[t]) for t in folds.tests[0]),), np.arange(24), 0)
    there = NearestNeighbours().score(features[order], labels[order], moved)
    assert (there.hits_N == here.hits_N[order]).all()


def test_more_neighbours_than_rows_are_all_rows(blobs):
    features, labels = blobs(6, 3, 2, 5.0)
    folds = make_folds(labels, repeats=1)
    assert NearestNeighbours(neighbours=50).score(features, labels, folds).hits_N.shape == (6,)


def test_no_neighbour_is_refused():
    with pytest.raises(WarmstartError, match="at least 1"):
        NearestNeighbours(neighbours=0)


def papers_h_score(features, labels):
    """tr(S^-1 (1 - a) cov(E[f | y])), S and a from scikit-learn's LedoitWolf, covariances over N."""
    shrunk = LedoitWolf().fit(features)
    means = np.array([features[labels == c].mean(0) for c in labels])
    between = np.cov(means, rowvar=False, bias=True)
    return np.trace(np.linalg.inv(shrunk.covariance_) @ ((1 - shrunk.shrinkage_) * between))


@pytest.mark.parametrize("rows, columns", [(60, 150), (60, 60), (200, 30)])
@pytest.mark.parametrize("separation", [0.0, 0.4, 2.0])
def test_the_h_score_is_the_papers(blobs, rows, columns, separation):
    features, labels = blobs(rows, columns, 3, separation)
    features = features * np.geomspace(0.1, 3, columns) + 4
    scored = HScore().score(features, labels, make_folds(labels))
    assert scored.value == pytest.approx(papers_h_score(features, labels), rel=1e-9)
    assert scored.low < scored.value < scored.high
    assert scored.value < 2  # at most C - 1


@pytest.mark.parametrize("rows, columns", [(40, 100), (100, 40), (30, 1)])
def test_the_shrinkage_is_sklearns(rows, columns):
    random = np.random.default_rng(2)
    centred = random.normal(size=(rows, columns)) @ np.diag(np.geomspace(1, 9, columns))
    centred -= centred.mean(0)
    expected = LedoitWolf(assume_centered=True).fit(centred).shrinkage_ if columns > 1 else 1.0
    for gram in (centred @ centred.T / rows, centred.T @ centred / rows):
        assert ledoit_wolf(centred, gram) == pytest.approx(expected, rel=1e-9)


def test_the_h_score_does_not_mind_the_order_of_rows(blobs):
    features, labels = blobs(90, 120, 3, 0.3)
    folds = make_folds(labels)
    order = np.random.default_rng(0).permutation(90)
    here, there = (HScore().score(features[o], labels[o], folds).value for o in (np.arange(90), order))
    assert there == pytest.approx(here, abs=1e-9)
