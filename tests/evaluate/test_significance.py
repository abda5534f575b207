"""p-values and power against brute force, statsmodels and exact enumeration."""

from fractions import Fraction
from math import comb, sqrt

import numpy as np
import pytest
from evaluate_worlds import pair_chances

from warmstart.evaluate.intervals import percentile
from warmstart.evaluate.significance import (
    Z_ALPHA,
    Z_POWER,
    bootstrap_p,
    detectable_mean,
    detectable_share,
    holm,
    mcnemar,
)

FEW_PAIRS = [(won, lost) for won in range(9) for lost in range(9)]


def brute_force_midp(won, lost):
    """Sum over all outcomes: those less likely than the seen one in full, those as likely by half."""
    n = won + lost
    chance = [Fraction(comb(n, k), 2**n) for k in range(n + 1)]
    rarer = sum(c for k, c in enumerate(chance) if abs(2 * k - n) > abs(won - lost))
    equal = sum(c for k, c in enumerate(chance) if abs(2 * k - n) == abs(won - lost))
    return float(rarer + equal / 2)


@pytest.mark.parametrize(("won", "lost"), [pair for pair in FEW_PAIRS if pair[0] != pair[1]])
def test_mcnemar_is_the_midp_of_brute_force(won, lost):
    assert mcnemar(won, lost) == pytest.approx(brute_force_midp(won, lost))


def test_mcnemar_is_the_exact_p_of_statsmodels_less_half_of_what_was_seen():
    from scipy.stats import binom
    from statsmodels.stats.contingency_tables import mcnemar as exact

    for won, lost in [(3, 12), (40, 22), (0, 6)]:
        theirs = exact([[50, won], [lost, 50]], exact=True).pvalue
        assert mcnemar(won, lost) == pytest.approx(theirs - binom.pmf(won, won + lost, 0.5))


def test_runs_that_differ_on_no_row_or_equally_often_have_p_1():
    assert mcnemar(0, 0) == 1
    assert mcnemar(7, 7) == pytest.approx(1)


def test_four_rows_one_way_are_not_enough_and_five_are():
    assert mcnemar(4, 0) > 0.05 > mcnemar(5, 0)


@pytest.mark.parametrize("discordance", [0.05, 0.2, 0.5])
def test_mcnemar_rejects_equal_runs_at_most_one_time_in_twenty(discordance):
    pairs = pair_chances(60, discordance / 2, discordance / 2)
    assert sum(chance for (won, lost), chance in pairs if mcnemar(won, lost) < 0.05) <= 0.0505


def test_the_bootstrap_p_is_below_0_05_where_its_interval_excludes_0():
    rng = np.random.default_rng(0)
    ps = []
    for centre in np.linspace(0, 4, 60):
        drawn = rng.normal(centre, 1, size=2000)
        low, _ = percentile(centre, drawn)
        ps.append(bootstrap_p(drawn))
        assert (ps[-1] < 0.05) == (low > 0) or ps[-1] == pytest.approx(0.05, abs=0.002)
    assert ps[0] > 0.8
    assert 0 < ps[-1] < 0.003


def test_the_bootstrap_p_of_runs_that_never_differ_is_1_and_the_sign_does_not_matter():
    assert bootstrap_p(np.zeros(2000)) == 1
    drawn = np.random.default_rng(1).normal(1.5, 1, size=2000)
    assert bootstrap_p(drawn) == bootstrap_p(-drawn)


def test_holm_is_that_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = {"scratch": 0.012, "base": 0.04, "frozen": 0.6, "full": 0.011}
    theirs = multipletests(list(p.values()), method="holm")[1]
    assert list(holm(p).values()) == pytest.approx(theirs.tolist())
    assert list(holm(p)) == list(p)
    assert holm({}) == {}


@pytest.mark.parametrize(("n", "discordance"), [(100, 0.3), (200, 0.2), (250, 0.1)])
def test_the_detectable_difference_is_shown_four_times_in_five(n, discordance):
    d = detectable_share(discordance, n)
    pairs = pair_chances(n, (discordance + d) / 2, (discordance - d) / 2)
    likely = [(pair, chance) for pair, chance in pairs if chance > 1e-7]
    power = sum(chance for (won, lost), chance in likely if mcnemar(won, lost) < 0.05)
    assert power == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("n", "discordance"), [(20, 0.0), (300, 0.2), (1697, 0.1), (1000, 0.001)])
def test_the_detectable_difference_solves_connors_sample_size(n, discordance):
    d = detectable_share(discordance, n)
    q = max(d, discordance)
    assert ((Z_ALPHA * sqrt(q) + Z_POWER * sqrt(q - d * d)) / d) ** 2 == pytest.approx(n)


def test_more_rows_show_less_and_a_handful_show_nothing():
    shown = [detectable_share(0.2, n) for n in (1, 3, 10, 100, 1000, 10_000)]
    assert shown[:2] == [1.0, 1.0]
    assert shown[1:] == sorted(shown[1:], reverse=True)
    assert (
        detectable_share(0.0, 50) > 0.1
    )  # no row on which they differ: the number of rows alone still limits


def test_the_detectable_difference_of_a_mean_is_2_8_standard_errors():
    drawn = np.random.default_rng(0).normal(0, 0.01, size=5000)
    assert detectable_mean(drawn) == pytest.approx(0.028, rel=0.05)
