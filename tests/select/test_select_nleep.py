"""NLEEP against scikit-learn's principal components and mixture, and the paper's sums."""

import numpy as np
import pytest
from oracles import papers_leep
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._scoring import make_folds
from warmstart.select.scores.nleep import SCORE as NLeep


def sklearns_clusters(features, labels, ratio=5):
    reduced = PCA(0.8, svd_solver="full").fit_transform(features)
    count = min(ratio * len(np.unique(labels)), len(labels))
    floor = 1e-6 * reduced.var(0).mean()
    return GaussianMixture(count, reg_covar=floor, random_state=0).fit(reduced).predict_proba(reduced)


@pytest.mark.parametrize("rows, columns", [(120, 10), (60, 60), (50, 150)])
@pytest.mark.parametrize("separation", [0.0, 1.0])
def test_the_clusters_are_those_of_a_mixture_on_four_fifths_of_the_variance(blobs, rows, columns, separation):
    features, labels = blobs(rows, columns, 3, separation)
    features = features * np.geomspace(0.3, 3, columns) + 5
    labels[labels == 2] = np.where(np.arange((labels == 2).sum()) < 1, 2, 1)  # one row of class 2
    scored = NLeep().score(features, labels, make_folds(labels))
    expected = papers_leep(sklearns_clusters(features, labels), labels)
    assert scored.value == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_neither_scale_nor_rotation_nor_place_matters(blobs, scale):
    features, labels = blobs(90, 12, 3, 0.6)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 12)))[0]
    folds = make_folds(labels)
    here, there = (NLeep().score(f, labels, folds).value for f in (features, scale * (features @ turn) + 3))
    assert there == pytest.approx(here, abs=1e-6)


def test_noise_with_a_cluster_for_each_row_is_called_perfect(blobs):
    """What its caution is about: 5 clusters for each of 8 classes of 5 rows."""
    noise, labels = blobs(40, 30, 8, 0.0)
    assert NLeep().score(noise, labels, make_folds(labels)).value == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("settings", [{"ratio": 0}, {"energy": 0.0}, {"energy": 1.0}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(WarmstartError) as refusal:
        NLeep(**settings)
    assert refusal.value.code == "wrong-value"
