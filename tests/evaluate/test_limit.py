"""What is shown to lose no more than a limit: beside brute force, and in simulated rows."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binom, norm

from warmstart.evaluate.limit import LEVEL, certified, of_means, of_shares, p_value, rows_needed, upper


def by_likelihood(lost, won, n, limit):
    """Tango's test by a search: the share won that is likeliest where the loss is the limit."""

    def unlikely(share):
        other = 1 - limit - 2 * share
        logs = [(won, share), (lost, share + limit), (n - lost - won, other)]
        return -sum(count * np.log(max(chance, 1e-300)) for count, chance in logs)

    best = minimize_scalar(
        unlikely, bounds=(0, (1 - limit) / 2), method="bounded", options={"xatol": 1e-12}
    ).x
    return norm.cdf((lost - won - n * limit) / np.sqrt(n * (2 * best + limit - limit**2)))


@pytest.mark.parametrize(
    "lost, won, n, limit", [(5, 3, 200, 0.05), (0, 4, 80, 0.01), (20, 1, 300, 0.1), (1, 1, 40, 0.2)]
)
def test_the_score_test_is_tangos_by_brute_force(lost, won, n, limit):
    assert of_shares(lost, won, n, limit) == pytest.approx(by_likelihood(lost, won, n, limit), abs=1e-5)


def test_where_no_row_was_won_the_test_is_exact():
    assert of_shares(0, 0, 58, 0.05) == pytest.approx(0.95**58)
    assert of_shares(2, 0, 100, 0.05) == pytest.approx(binom.cdf(2, 100, 0.05))


def test_fewer_rows_than_needed_can_show_nothing_and_as_many_can():
    for limit in (0.005, 0.01, 0.05):
        n = rows_needed(limit)
        assert p_value(np.zeros(n), limit) <= LEVEL < p_value(np.zeros(n - 1), limit)


@pytest.mark.parametrize("won, n", [(0.0, 120), (0.02, 120), (0.02, 400), (0.1, 200)])
@pytest.mark.parametrize("limit", [0.01, 0.05])
def test_what_loses_the_limit_passes_no_more_often_than_said(won, n, limit):
    random = np.random.default_rng(0)
    drawn = random.multinomial(n, [won + limit, won, 1 - 2 * won - limit], size=20_000)
    found, counts = np.unique(drawn[:, :2], axis=0, return_counts=True)
    passed = sum(
        c
        for (lost, gained), c in zip(found, counts, strict=True)
        if of_shares(int(lost), int(gained), n, limit) <= LEVEL
    )
    assert passed / 20_000 <= LEVEL + 0.012


def test_mean_losses_that_are_skewed_pass_no_more_often_than_said():
    random = np.random.default_rng(1)
    rows = random.exponential(0.1, size=(4000, 150)) - 0.1 + 0.05
    passed = np.mean([of_means(r - 0.05) <= LEVEL for r in rows])
    assert passed <= LEVEL + 0.015


def test_the_upper_bound_is_where_the_test_turns():
    random = np.random.default_rng(2)
    for rows in (random.choice([-1.0, 0.0, 1.0], 300, p=[0.02, 0.93, 0.05]), random.normal(0.1, 0.3, 80)):
        bound = upper(rows)
        assert bound > rows.mean()
        assert p_value(rows, bound * 1.001) <= LEVEL <= p_value(rows, bound * 0.999)


def test_models_are_tried_from_the_safest_and_the_first_that_fails_ends_it():
    fine, bad = np.zeros(400), np.r_[np.ones(40), np.zeros(360)]
    assert certified([None, fine, fine, bad, fine], 0.05) == 3
    assert certified([None, bad], 0.05) == 1
    assert certified([bad, None], 0.05) == 0
    assert certified([], 0.05) == 0


def test_a_row_of_models_of_which_one_is_beyond_the_limit_passes_it_no_more_often_than_said():
    random = np.random.default_rng(3)
    true = np.linspace(0, 0.08, 9)  # the limit of 0.05 is crossed within
    wrong = 0
    for _ in range(600):
        luck = random.random(200)  # the same rows for all
        count = certified([None, *((luck < share) * 1.0 for share in true[1:])], 0.05)
        wrong += count > 0 and true[count - 1] > 0.05
    assert wrong / 600 <= LEVEL + 0.02
