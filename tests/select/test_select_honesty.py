"""Simulations of honesty: is a score flattered by its choices, are equals called equal?"""

import numpy as np
import pytest

from warmstart.models.softmax import solve
from warmstart.select.scores._probe import Data, log_probabilities
from warmstart.select.scores._scoring import difference, make_folds
from warmstart.select.scores.logistic_probe import LogisticProbe

GRID, ROWS, FRESH = LogisticProbe().penalties, 40, 2000


def reported_and_true(seed):
    """(out-of-fold, fresh) mean log-likelihoods, each fold x penalty, and the nested choice."""
    random = np.random.default_rng(seed)
    means = random.normal(size=(2, 8)) / np.sqrt(8)
    labels = np.concatenate([np.arange(ROWS) % 2, np.arange(FRESH) % 2])
    features = random.normal(size=(len(labels), 8)) + means[labels]
    folds = make_folds(labels[:ROWS], seed=seed, repeats=1)
    data, fresh = Data.of(features, labels), np.arange(ROWS, ROWS + FRESH)
    seen, true = np.zeros((5, len(GRID))), np.zeros((5, len(GRID)))
    for k, test in enumerate(folds.tests[0]):
        fold = data.fold(np.concatenate([test, fresh]))
        for g, C in enumerate(GRID):
            logs = log_probabilities(fold, solve(fold.problem, C, tolerance=1e-5).weights)
            seen[k, g] = data.right(logs[: len(test)], test).mean()
            true[k, g] = data.right(logs[len(test) :], fresh).mean()
    own = Data.of(features[:ROWS], labels[:ROWS]).single()
    picks = LogisticProbe()._choose(own, folds.tests[0])
    return seen, true, [GRID.index(C) for C in picks]


@pytest.mark.slow
def test_choosing_by_the_reported_score_flatters_it_and_choosing_inside_the_folds_does_not():
    flattery = {"own": [], "nested": []}
    for seed in range(250):
        seen, true, nested = reported_and_true(seed)
        for how, picks in (("own", [int(seen.mean(0).argmax())] * 5), ("nested", nested)):
            gaps = [seen[k, g] - true[k, g] for k, g in enumerate(picks)]
            flattery[how].append(np.mean(gaps))
    mean = {how: np.mean(gaps) for how, gaps in flattery.items()}
    error = {how: np.std(gaps) / np.sqrt(len(gaps)) for how, gaps in flattery.items()}
    assert mean["own"] > 3 * error["own"]
    assert abs(mean["nested"]) < 3 * error["nested"]


@pytest.mark.slow
def test_equally_good_candidates_are_called_different_about_as_rarely_as_is_claimed():
    """Two candidates of one distribution, 5 % claimed; the plain bootstrap errs more than twice as often."""
    draws, widened, plain = 150, 0, 0
    means = np.eye(3, 16) * 2
    labels = np.arange(100) % 3
    for seed in range(draws):
        random, folds = np.random.default_rng(seed), make_folds(labels, seed=seed)
        one, other = (
            LogisticProbe().score(random.normal(size=(100, 16)) + means[labels], labels, folds)
            for _ in range(2)
        )
        value, low, high = difference(one, other, folds)
        widened += low > 0 or high < 0
        plain += value + (low - value) / 1.5 > 0 or value + (high - value) / 1.5 < 0
    assert widened / draws < 0.1
    assert plain / draws > 0.12
