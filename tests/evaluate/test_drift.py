"""How far a network has moved: beside definitions written another way."""

import numpy as np
import pytest
from scipy.stats import entropy, ortho_group

from warmstart.evaluate.drift import cka, divergence, divergences, similarity

RANDOM = np.random.default_rng(0)


def test_the_divergence_of_a_row_is_scipys_relative_entropy():
    source, tuned = RANDOM.dirichlet(np.ones(5), 30), RANDOM.dirichlet(np.ones(5), 30)
    assert divergences(source, tuned) == pytest.approx(entropy(source, tuned, axis=1), rel=1e-9)
    sure = np.eye(5)[[0, 1]]
    assert divergences(sure, sure) == pytest.approx([0, 0])
    assert divergence(source, source).value == 0


def slow_hsic(one, other):
    """Song et al.'s sum over all quadruples of different rows."""
    from itertools import permutations

    n, total = len(one), 0.0
    for i, j, q, r in permutations(range(n), 4):
        total += one[i, j] * (other[i, j] + other[q, r] - 2 * other[i, q])
    return total / (n * (n - 1) * (n - 2) * (n - 3))


def test_cka_is_the_ratio_of_unbiased_hsic_by_brute_force():
    x, y = RANDOM.normal(size=(9, 4)), RANDOM.normal(size=(9, 3))
    y[:, 0] += x[:, 0]
    k, g = x @ x.T, y @ y.T
    wanted = slow_hsic(k, g) / np.sqrt(slow_hsic(k, k) * slow_hsic(g, g))
    assert cka(x, y) == pytest.approx(wanted, rel=1e-9)


def test_a_turn_and_a_scale_change_nothing_and_noise_is_unlike():
    x = RANDOM.normal(size=(80, 20))
    turned = 3 * x @ ortho_group.rvs(20, random_state=0) + 5
    assert cka(x, turned) == pytest.approx(1)
    far = [cka(x, RANDOM.normal(size=(80, 200))) for _ in range(40)]
    assert abs(np.mean(far)) < 0.03, "unbiased: many columns and few rows do not look alike"


def test_the_interval_of_cka_holds_what_many_rows_say_most_of_the_time():
    mix = RANDOM.normal(size=(10, 10))
    held, big = 0, RANDOM.normal(size=(4000, 10))
    truth = cka(big, np.tanh(big @ mix))
    for _ in range(100):
        x = RANDOM.normal(size=(100, 10))
        found = similarity(x, np.tanh(x @ mix))
        held += found.low <= truth <= found.high
    assert held >= 85


def test_features_that_do_not_vary_or_too_few_rows_have_no_similarity():
    assert similarity(np.ones((20, 3)), RANDOM.normal(size=(20, 3))) is None
    assert similarity(RANDOM.normal(size=(5, 3)), RANDOM.normal(size=(5, 3))) is None
