"""The logistic probe against scikit-learn's own pipeline, and the honesty of its choice of penalty."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from warmstart.base.errors import WarmstartError
from warmstart.models.softmax import standardise
from warmstart.select.scores._scoring import Folds, make_folds
from warmstart.select.scores.logistic_probe import LogisticProbe


class OneScale(TransformerMixin, BaseEstimator):
    """Every column about its mean, all divided by the root of their mean variance."""

    def fit(self, features, labels=None):
        self.mean_, self.scale_ = features.mean(0), np.sqrt(features.var(0).mean())
        return self

    def transform(self, features):
        return (features - self.mean_) / self.scale_


def sklearn_rows(features, labels, folds, C, scaler=None):
    """Out-of-fold log-likelihood and hit of each row, mean over repeats, by scikit-learn alone."""
    rows, hits = np.zeros(len(labels)), np.zeros(len(labels))
    for train, test in folds.splits():
        model = make_pipeline(scaler or OneScale(), LogisticRegression(C=C, tol=1e-9, max_iter=20_000))
        model.fit(features[train], labels[train])
        column = np.searchsorted(model.classes_, labels[test])
        rows[test] += model.predict_log_proba(features[test])[np.arange(len(test)), column]
        hits[test] += model.predict(features[test]) == labels[test]
    return rows / len(folds.tests), hits / len(folds.tests)


@pytest.mark.parametrize(
    "rows, columns, classes, C",
    [(90, 20, 2, 1.0), (90, 300, 3, 0.01), (250, 40, 7, 0.1), (250, 260, 4, 0.001), (250, 60, 3, 1.0)],
)
def test_each_row_has_the_likelihood_that_sklearn_gives_it(blobs, rows, columns, classes, C):
    features, labels = blobs(rows, columns, classes, 0.3)
    features = features @ np.diag(np.geomspace(1, 100, columns)) + 5  # scales that standardising must undo
    features[:, 1:] += features[:, :1]  # and correlations that it cannot
    folds = make_folds(labels)
    scored = LogisticProbe(penalties=(C,)).score(features, labels, folds)
    rows_N, hits_N = sklearn_rows(features, labels, folds, C)
    assert np.abs(scored.rows_N - rows_N).max() < 1e-4
    assert (scored.hits_N == hits_N).all()
    assert scored.value == pytest.approx(rows_N.mean(), abs=1e-5)
    assert scored.low < scored.value < scored.high


def test_standardising_is_sklearns_also_for_columns_constant_but_for_rounding():
    random = np.random.default_rng(0)
    train, held = random.normal(size=(50, 6)) * [1, 1e-9, 1e6, 1, 1, 1], random.normal(size=(20, 6))
    train[:, 3], train[:, 4] = 0.1 + 0.2, 1e9 + random.normal(size=50) * 1e-8
    scaler = StandardScaler().fit(train)
    ours = standardise(train, held)
    for mine, theirs in zip(ours, (scaler.transform(train), scaler.transform(held)), strict=True):
        assert mine == pytest.approx(theirs, abs=1e-7, rel=1e-7)


def test_the_penalty_of_each_fold_is_that_of_a_search_inside_its_training_rows(blobs):
    """Against a plain nested search: the inner folds of a fold are the other folds."""
    features, labels = blobs(150, 30, 3, 0.35, seed=2)
    folds = make_folds(labels, repeats=1)
    grid, tests = (1e-3, 1e-2, 1e-1, 1.0), folds.tests[0]
    expected = np.zeros(len(labels))
    for k, test in enumerate(tests):
        inner = [t for j, t in enumerate(tests) if j != k]
        kept = np.sort(np.concatenate(inner))
        again = Folds((tuple(np.searchsorted(kept, t) for t in inner),), np.arange(len(kept)), 0)
        totals = [sklearn_rows(features[kept], labels[kept], again, C)[0].sum() for C in grid]
        best = grid[int(np.argmax(totals))]
        expected[test] = sklearn_rows(features, labels, folds, best)[0][test]
    scored = LogisticProbe(penalties=grid).score(features, labels, folds)
    assert np.abs(scored.rows_N - expected).max() < 1e-4


def test_of_many_rows_one_fold_judges_the_penalty_of_another_and_learned_from_neither(blobs):
    """Folds in a ring, in couples: the second judges for the first, and for the last the first."""
    features, labels = blobs(600, 30, 3, 0.35, seed=2)
    folds, grid = make_folds(labels), (1e-4, 1e-2, 1.0)
    tests = folds.tests[0]
    totals = np.zeros((5, 3))
    for j, k in ((0, 1), (2, 3), (4, 0)):
        held = np.concatenate([tests[j], tests[k]])
        pair = Folds(((np.sort(held),),), np.arange(600), 0)
        for g, C in enumerate(grid):
            rows, _ = sklearn_rows(features, labels, pair, C)
            totals[j, g] += rows[tests[k]].sum()
            totals[k, g] += rows[tests[j]].sum()
    expected = np.zeros(600)
    for test, pick in zip(tests, totals.argmax(1), strict=True):
        expected[test] = sklearn_rows(features, labels, folds, grid[pick])[0][test]
    scored = LogisticProbe(penalties=grid).score(features, labels, folds)
    assert np.abs(scored.rows_N - expected).max() < 5e-3
    assert scored.value == pytest.approx(expected.mean(), abs=2e-5)


def test_a_column_that_hardly_moved_in_training_cannot_rule_the_score(blobs):
    """Divided by its own deviation it would answer the one row in which it moves wrongly, and surely."""
    features, labels = blobs(100, 20, 2, 1.0)
    odd = np.random.default_rng(1).normal(size=(100, 50)) * 1e-4
    odd[7] = 0.005
    folds = make_folds(labels)
    plain, with_odd = (
        LogisticProbe().score(f, labels, folds) for f in (features, np.hstack([features, odd]))
    )
    assert np.abs(with_odd.rows_N - plain.rows_N).max() < 1.0
    scaled_N, _ = sklearn_rows(np.hstack([features, odd]), labels, folds, 1.0, StandardScaler())
    assert scaled_N.min() < -5


def test_only_two_folds_leave_the_middle_of_the_grid(blobs):
    features, labels = blobs(40, 5, 2, 1.0)
    folds = make_folds(labels, np.arange(40) // 20)
    assert LogisticProbe().score(features, labels, folds).chosen == {"C": 1e-2}


def test_a_class_that_training_never_saw_gets_laplaces_probability(blobs):
    features, labels = blobs(30, 4, 2, 1.0)
    labels = labels.copy()
    labels[0] = 2  # its only row: unseen in the fold that tests it
    scored = LogisticProbe(penalties=(0.1,)).score(features, labels, make_folds(labels, repeats=1))
    assert scored.rows_N[0] == pytest.approx(-np.log(20 + 3))
    assert scored.hits_N[0] == 0
    assert np.isfinite(scored.rows_N).all()


def test_features_that_say_nothing_score_as_the_class_frequencies():
    labels = np.array([0] * 30 + [1] * 10)
    folds = make_folds(labels, repeats=1)
    scored = LogisticProbe().score(np.ones((40, 3)), labels, folds)
    expected = np.mean(
        [np.log(np.mean(labels[train] == labels[row])) for train, test in folds.splits() for row in test]
    )
    assert scored.value == pytest.approx(expected, abs=1e-9)
    assert scored.hits_N.mean() == 0.75


def test_the_order_of_rows_changes_nothing(blobs):
    """The folds travel with their rows. Two orders round differently on the way to the same optimum, which
    the solver approaches to 1e-6 in its scaled coordinates: hence the tolerance."""
    features, labels = blobs(120, 150, 3, 0.3)
    folds = make_folds(labels)
    order = np.random.default_rng(1).permutation(120)
    place = np.argsort(order)
    moved = Folds(tuple(tuple(np.sort(place[t]) for t in tests) for tests in folds.tests), folds.units_N, 0)
    here = LogisticProbe().score(features, labels, folds)
    there = LogisticProbe().score(features[order], labels[order], moved)
    assert there.value == pytest.approx(here.value, abs=1e-6)
    assert there.rows_N == pytest.approx(here.rows_N[order], abs=1e-4)


def test_labels_need_not_be_counted_from_zero(blobs):
    features, labels = blobs(80, 10, 2, 0.5)
    folds = make_folds(labels)
    plain, gaps = (LogisticProbe().score(features, y, folds) for y in (labels, labels * 5 + 3))
    assert (plain.rows_N == gaps.rows_N).all()


def test_a_rough_tolerance_is_close_and_single_precision_features_are_welcome(blobs):
    features, labels = blobs(200, 64, 4, 0.3)
    folds = make_folds(labels)
    fine = LogisticProbe(penalties=(0.1,)).score(features, labels, folds)
    rough = LogisticProbe(penalties=(0.1,), tolerance=1e-3).score(features.astype(np.float32), labels, folds)
    assert rough.value == pytest.approx(fine.value, abs=5e-3)
    assert rough.value != fine.value


def test_folds_of_sklearn_serve_as_well(blobs):
    features, labels = blobs(100, 10, 2, 0.5)
    split = StratifiedKFold(5, shuffle=True, random_state=0).split(features, labels)
    folds = Folds((tuple(test for _, test in split),), np.arange(100), 0)
    rows, _ = sklearn_rows(features, labels, folds, 0.1)
    assert LogisticProbe((0.1,)).score(features, labels, folds).rows_N == pytest.approx(rows, abs=1e-4)


@pytest.mark.parametrize("penalties", [(), (0.1, 0.0), (-1.0,)])
def test_a_penalty_that_is_none_is_refused(penalties):
    with pytest.raises(WarmstartError, match="above 0"):
        LogisticProbe(penalties=penalties)
