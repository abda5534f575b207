"""Intervals against statsmodels, scipy, exact enumeration and simulation."""

import numpy as np
import pytest
from evaluate_worlds import pair_chances

from warmstart.evaluate import intervals
from warmstart.evaluate.intervals import (
    bonett_price,
    draws,
    mean_interval,
    mean_p,
    newcombe,
    percentile,
    resample,
    standard_error,
    wilson,
)


def all_draws(*args, **kwargs):
    return np.concatenate(list(draws(*args, **kwargs)))


def test_every_draw_has_as_many_rows_as_there_are():
    counts = all_draws(30, 0, "test")
    assert counts.shape == (2000, 30)
    assert (counts.sum(1) == 30).all()
    assert counts.mean() == 1
    assert counts.var() == pytest.approx(1 - 1 / 30, rel=0.05)  # each row's count is Binomial(30, 1/30)


def test_the_same_rows_and_seed_give_the_same_draws_and_another_name_others():
    once = all_draws(25, 3, "test", times=50)
    assert (once == all_draws(25, 3, "test", times=50)).all()
    for other in (all_draws(25, 4, "test", times=50), all_draws(25, 3, "train", times=50)):
        assert (once != other).any()


def test_many_rows_come_in_blocks_that_fit_in_memory(monkeypatch):
    monkeypatch.setattr(intervals, "BLOCK", 1000)
    blocks = list(draws(300, 0, "test", times=10))
    assert [len(block) for block in blocks] == [3, 3, 3, 1]
    means = resample({"mean": lambda counts: counts @ np.arange(300) / 300}, blocks)["mean"]
    assert means == pytest.approx(np.concatenate(blocks) @ np.arange(300) / 300)


def test_groups_are_drawn_whole():
    groups = np.array(["ann", "bob", "ann", "cy", "bob", "ann"])
    counts = all_draws(6, 0, "test", groups=groups)
    assert (counts[:, 0] == counts[:, 2]).all()
    assert (counts[:, 0] == counts[:, 5]).all()
    assert (counts[:, [0, 1, 3]].sum(1) == 3).all()  # as many groups as there are


def test_grouped_rows_have_wider_intervals_than_independent_ones():
    groups = np.repeat(np.arange(20), 10)
    values = np.random.default_rng(0).normal(size=20)[groups]  # rows of a group agree

    def width(**kwargs):
        means = resample({"": lambda c: c @ values / c.sum(1)}, draws(200, 0, "test", **kwargs))[""]
        low, high = percentile(float(values.mean()), means)
        return high - low

    assert width(groups=groups) == pytest.approx(width() * np.sqrt(10), rel=0.2)


def test_the_percentile_interval_is_that_of_scipy():
    from scipy.stats import bootstrap

    differences = np.random.default_rng(1).gamma(2.0, size=150)
    means = resample({"": lambda c: c @ differences / c.sum(1)}, draws(150, 0, "test"))[""]
    theirs = bootstrap(
        (differences,), np.mean, n_resamples=8000, method="percentile", rng=2
    ).confidence_interval
    assert percentile(float(differences.mean()), means) == pytest.approx(tuple(theirs), abs=0.02)


def test_the_interval_contains_a_value_that_its_biased_draws_miss():
    assert percentile(0.5, np.linspace(0.6, 0.8, 101)) == (0.5, pytest.approx(0.795))
    assert percentile(0.9, np.linspace(0.6, 0.8, 101)) == (pytest.approx(0.605), 0.9)


def test_the_paired_bootstrap_covers_the_true_difference_nineteen_times_in_twenty():
    rng, n, worlds = np.random.default_rng(5), 300, 400
    differences = (
        rng.gamma(0.5, size=(n, worlds)) - rng.gamma(0.5, size=(n, worlds)) + 0.3
    )  # heavy-tailed losses
    means = all_draws(n, 0, "test", times=1000) @ differences / n
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    assert 0.92 <= ((low <= 0.3) & (high >= 0.3)).mean() <= 0.98


def test_of_rows_that_are_not_skewed_the_interval_and_p_of_a_mean_are_students():
    from scipy.stats import t, ttest_1samp

    rows = np.array([-3.0, -1.0, 0.0, 1.0, 3.0]) + 1.7
    theirs = t.interval(0.95, 4, rows.mean(), standard_error(rows))
    assert mean_interval(rows) == pytest.approx(theirs)
    assert mean_p(rows) == pytest.approx(ttest_1samp(rows, 0).pvalue)


def test_halls_interval_solves_his_cubic():
    from scipy.optimize import brentq
    from scipy.stats import skew, t

    rows = np.random.default_rng(3).exponential(size=30)
    a, error = skew(rows) / 30**0.5, standard_error(rows)

    def bent(mean):
        x = (rows.mean() - mean) / error
        return x + a * x**2 / 3 + a**2 * x**3 / 27 + a / 6

    limit = t.ppf(0.975, 29)
    theirs = [brentq(lambda m, sign=sign: bent(m) - sign * limit, -9, 9) for sign in (1, -1)]
    assert mean_interval(rows) == pytest.approx(theirs)
    low, high = mean_interval(rows)
    assert high - rows.mean() > rows.mean() - low, "what was not seen of a long tail lies above"


def test_p_of_a_mean_is_below_0_05_where_its_interval_leaves_0_out():
    rng = np.random.default_rng(2)
    for _ in range(300):
        rows = rng.exponential(size=40) - 0.7
        low, high = mean_interval(rows)
        assert (mean_p(rows) < 0.05) == (not low <= 0 <= high)


@pytest.mark.parametrize("n", [40, 140])
def test_skewed_losses_are_covered_as_promised_which_the_percentile_interval_does_not(n):
    """Losses as a classifier's: most rows cost little, some much (skewness 3 to 4)."""
    rng, worlds = np.random.default_rng(1), 600

    def losses():
        return np.where(rng.random(n) < 0.12, rng.gamma(4, 0.7, n), rng.gamma(0.5, 0.3, n))

    truth = 0.12 * 2.8 + 0.88 * 0.15
    hall = plain = 0
    for _ in range(worlds):
        rows = losses()
        low, high = mean_interval(rows)
        hall += low <= truth <= high
        means = rows[rng.integers(0, n, (400, n))].mean(1)
        plain += np.quantile(means, 0.025) <= truth <= np.quantile(means, 0.975)
    assert 0.92 <= hall / worlds <= 0.98
    assert n > 40 or plain / worlds < 0.92


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (0, 10), (10, 10), (7, 10), (861, 1000)])
def test_wilson_is_that_of_statsmodels(right, n):
    from statsmodels.stats.proportion import proportion_confint

    assert wilson(right, n) == pytest.approx(proportion_confint(right, n, method="wilson"), abs=1e-9)


@pytest.mark.parametrize("case", [(9, 10, 3, 10), (399, 400, 1461, 1697), (5, 5, 5, 5), (0, 8, 8, 8)])
def test_newcombe_is_that_of_statsmodels(case):
    from statsmodels.stats.proportion import confint_proportions_2indep

    theirs = confint_proportions_2indep(*case, method="newcomb", compare="diff")
    assert newcombe(*case) == pytest.approx(theirs, abs=1e-6)


def test_newcombe_agrees_with_a_bootstrap_of_each_side():
    rng, sides = np.random.default_rng(0), ((376, 400), (1459, 1697))
    shares = [rng.binomial(n, right / n, size=20_000) / n for right, n in sides]
    theirs = np.quantile(shares[0] - shares[1], [0.025, 0.975])
    assert newcombe(*sides[0], *sides[1]) == pytest.approx(tuple(theirs), abs=0.006)


@pytest.mark.parametrize("p_lost", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("gain", [0.0, 0.05, 0.3])
def test_bonett_price_covers_the_true_difference_of_two_accuracies(gain, p_lost):
    covered = too_low = 0.0
    for (won, lost), chance in pair_chances(50, p_lost + gain, p_lost):
        low, high = bonett_price(won, lost, 50)
        covered += chance * (low <= gain <= high)
        too_low += chance * (high < gain)
    assert covered > 0.94
    assert too_low < 0.035  # the error that would call a gain ruled out


def test_ten_rows_answered_alike_do_not_show_that_two_runs_are_equal():
    low, high = bonett_price(0, 0, 10)
    assert low == -high
    assert high > 0.2
    assert bonett_price(0, 0, 1000)[1] < 0.01


@pytest.mark.parametrize("form", [lambda: bonett_price(1, 0, 1), lambda: bonett_price(20, 0, 20)])
def test_a_difference_of_two_shares_stays_between_minus_1_and_1_and_holds_its_value(form):
    low, high = form()
    assert -1 <= low <= 1 <= high <= 1
