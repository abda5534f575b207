"""Ridge against scikit-learn's, fold by fold; its penalty by the plain formula; and folds for numbers."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.preprocessing import StandardScaler

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._scoring import difference, number_folds
from warmstart.select.scores.ridge import SCORE as Ridge


def task(rows, columns, noise=1.0, seed=0):
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, columns)) * np.geomspace(0.1, 10, columns) + 2
    weights = random.normal(size=columns) / np.geomspace(0.1, 10, columns) / np.sqrt(columns)
    return features, features @ weights * 3 + noise * random.normal(size=rows) + 40


def hat(scaled, penalty):
    """The matrix that makes fitted values of targets, the mean included."""
    rows, columns = scaled.shape
    inner = np.linalg.inv(scaled.T @ scaled + penalty * rows * np.eye(columns))
    return scaled @ inner @ scaled.T + 1 / rows


def papers_choice(scaled, targets, penalties):
    """Golub, Heath & Wahba 1979: the mean square error over the square of the mean of 1 - leverage."""

    def error(penalty):
        matrix = hat(scaled, penalty)
        missed = targets - matrix @ targets
        return np.square(missed).mean() / (1 - np.trace(matrix) / len(targets)) ** 2

    return min(penalties, key=error)


def papers_r2(features, targets, folds, penalties):
    missed, about, chosen = 0.0, 0.0, []
    for train, test in folds.splits():
        scaler = StandardScaler().fit(features[train])
        scaled = scaler.transform(features[train])
        penalty = papers_choice(scaled, targets[train], penalties)
        model = SklearnRidge(alpha=penalty * len(train), solver="svd").fit(scaled, targets[train])
        missed += np.square(model.predict(scaler.transform(features[test])) - targets[test]).sum()
        about += np.square(targets[test] - targets[train].mean()).sum()
        chosen.append(penalty)
    return 1 - missed / about, chosen


GRID = Ridge().penalties


@pytest.mark.parametrize("rows, columns", [(60, 150), (50, 40), (120, 8), (60, 60)])
def test_it_is_sklearns_ridge_with_the_penalty_of_generalised_cross_validation(rows, columns):
    features, targets = task(rows, columns)
    features[:, 1] = 5.0
    folds = number_folds(targets)
    scored = Ridge().score(features, targets, folds)
    expected, chosen = papers_r2(features, targets, folds, GRID)
    assert scored.value == pytest.approx(expected, abs=1e-8)
    assert scored.chosen["penalty"] == sorted(chosen)[(len(chosen) - 1) // 2]
    assert scored.low < scored.value < scored.high <= 1
    assert "bootstrap" in scored.how


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 100.0])
def test_a_penalty_that_is_given_is_not_chosen(penalty):
    features, targets = task(70, 20)
    folds = number_folds(targets)
    expected, _ = papers_r2(features, targets, folds, [penalty])
    assert Ridge(penalties=(penalty,)).score(features, targets, folds).value == pytest.approx(
        expected, abs=1e-8
    )


def test_knowing_nothing_is_worth_nothing():
    _, targets = task(80, 4)
    folds = number_folds(targets)
    assert Ridge().score(np.zeros((80, 3)), targets, folds).value == pytest.approx(0, abs=1e-12)
    noise = np.random.default_rng(1).normal(size=(80, 300))
    assert -0.2 < Ridge().score(noise, targets, folds).value < 0.05
    assert Ridge().score(targets[:, None], targets, folds).value > 0.999


def test_place_and_scale_of_targets_do_not_matter_nor_does_the_scale_of_features():
    features, targets = task(70, 30)
    folds = number_folds(targets)
    expected = Ridge().score(features, targets, folds).value
    assert Ridge().score(features * 1e5, targets, folds).value == pytest.approx(expected, abs=1e-9)
    assert Ridge().score(features, targets * 1e-3 - 7, folds).value == pytest.approx(expected, abs=1e-8)


def test_the_interval_is_that_of_a_ratio_drawn_anew_and_can_be_paired():
    features, targets = task(400, 10, noise=3.0)
    folds = number_folds(targets)
    scored = Ridge().score(features, targets, folds)
    gained, about = scored.rows_N, scored.per_N
    theirs = stats.bootstrap(
        (gained, about), lambda g, a, axis: g.sum(axis) / a.sum(axis), paired=True, vectorized=True,
        n_resamples=9999, method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    ends = np.array([scored.low, scored.high]) - scored.value
    assert ends / 1.5 == pytest.approx(np.array(theirs) - scored.value, abs=0.01)
    fewer = Ridge().score(features[:, :9], targets, folds)
    value, low, high = difference(scored, fewer, folds)
    assert value == pytest.approx(scored.value - fewer.value)
    assert low < value < high and high - low < scored.high - scored.low


@pytest.mark.parametrize("rows, groups", [(23, None), (103, None), (400, None), (300, 60)])
def test_folds_of_numbers_share_out_small_and_large_ones_and_keep_groups_whole(rows, groups):
    random = np.random.default_rng(0)
    targets = random.exponential(size=rows) ** 2
    units = None if groups is None else random.integers(0, groups, rows)
    folds = number_folds(targets, units)
    for tests in folds.tests:
        assert sorted(np.concatenate(tests)) == list(range(rows))
        places = [stats.rankdata(targets)[test].mean() / rows for test in tests]
        assert np.abs(np.array(places) - 0.5).max() < (0.13 if rows < 100 or groups else 0.03)
        assert groups is None or sum(len(set(units[t])) for t in tests) == len(set(units))


@pytest.mark.parametrize("rows", [2, 4, 9])
def test_few_numbers_are_split_too(rows):
    targets = np.arange(rows) * 1.5
    folds = number_folds(targets)
    assert np.isfinite(Ridge().score(np.arange(rows, dtype=float)[:, None] ** 2, targets, folds).value)


@pytest.mark.parametrize("targets, code", [([1.0, np.nan, 2, 3], "wrong-value"), ([2.0] * 4, "one-target")])
def test_targets_that_cannot_be_explained_are_refused(targets, code):
    folds = number_folds(np.arange(4.0))
    with pytest.raises(WarmstartError) as refusal:
        Ridge().score(np.ones((4, 2)), np.array(targets), folds)
    assert refusal.value.code == code and refusal.value.do


@pytest.mark.parametrize("penalties", [(), (0.0,), (1.0, -1.0), (np.inf,)])
def test_penalties_that_are_none_are_refused(penalties):
    with pytest.raises(WarmstartError):
        Ridge(penalties=penalties)
