"""Rows and seeds: exact small cases, scipy and statsmodels, and simulation of how often it is right."""

from itertools import product

import numpy as np
import pytest
from evaluate_worlds import predictions

from warmstart.evaluate.compare import detectable, measure, metrics, over_seeds, paired, samples
from warmstart.evaluate.intervals import (
    bonett_price,
    bonett_price_of_means,
    wilson,
    wilson_of_means,
)
from warmstart.evaluate.levels import both_p, detectable_t, on_both, paired_t, seeds_variance, sign_flip
from warmstart.evaluate.metrics.accuracy import Accuracy

ASKED = metrics()


# the seeds alone


def test_the_sign_flip_counts_the_signs_by_hand():
    assert sign_flip([1, 2, 3]) == 1 / 8  # three seeds can show no more
    assert sign_flip([1, 2, 3, 4, 5]) == 1 / 32
    assert sign_flip([2, 2, 2, 2, -1]) == 2 / 32  # the sums 7 (as seen) and 9
    assert sign_flip([0.0, 0.0]) == 1
    assert sign_flip([-1, -1, -1]) == 1


def test_five_seeds_pass_the_sign_flip_only_if_all_are_positive():
    passed = [signs for signs in product((-1, 1), repeat=5) if sign_flip([0.01 * s for s in signs]) < 0.05]
    assert passed == [(1, 1, 1, 1, 1)]
    assert sign_flip([9, 9, 9, 9, -0.001]) > 0.05
    assert 2 * sign_flip([1] * 5) > 0.05 > 2 * sign_flip([1] * 6)  # two-sided it would take six


@pytest.mark.parametrize("count", [3, 5, 8])
def test_the_sign_flip_is_scipys_permutation_test(count):
    from scipy.stats import permutation_test

    values = np.random.default_rng(count).normal(0.5, 1, count)
    theirs = permutation_test(
        (values,), np.mean, permutation_type="samples", alternative="greater", n_resamples=np.inf
    )
    assert sign_flip(values) == pytest.approx(theirs.pvalue)


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.1, 0.3, -0.05], [3.0, 1.0, 2.0, -4.0, 0.5]])
def test_the_paired_t_is_scipys(values):
    from scipy.stats import ttest_1samp

    assert paired_t(values) == pytest.approx(ttest_1samp(values, 0).pvalue)


def test_seeds_that_do_not_differ_at_all_stand_in_nobodys_way():
    assert paired_t([0.2, 0.2, 0.2]) == 0
    assert paired_t([0.0, 0.0]) == 1


@pytest.mark.parametrize("count", [3, 5, 10])
def test_the_detectable_mean_is_that_of_statsmodels(count):
    from statsmodels.stats.power import TTestPower

    theirs = TTestPower().solve_power(nobs=count, alpha=0.05, power=0.8, alternative="two-sided")
    assert detectable_t(2.0, count) == pytest.approx(2 * float(theirs), rel=1e-3)


# both levels


def test_the_variance_of_seeds_is_what_the_interaction_leaves_of_it():
    table_SN = np.array([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0]])
    rows = table_SN.mean(0).var(ddof=1) / 4  # 11/192
    each = table_SN.var(axis=1, ddof=1).mean() / 4  # (1/3 + 1/4) / 2 / 4 = 7/96
    assert (rows, each) == pytest.approx((11 / 192, 7 / 96))
    # of the seeds: ((0.75 - 0.5)^2 / 2) / 2 = 1/64; of both: (7/96 - 11/192) / 1 = 1/64
    assert seeds_variance([0.5, 0.75], rows, each) == pytest.approx(0.0, abs=1e-12)
    assert seeds_variance([0.25, 0.75], rows, each) == pytest.approx(1 / 16 - 1 / 64)


def test_without_doubt_of_rows_the_interval_is_students():
    from scipy.stats import t

    values = np.array([0.1, 0.3, 0.2, 0.15, 0.25])
    mean, error = values.mean(), values.std(ddof=1) / 5**0.5
    assert on_both(mean, mean, mean, error**2, 5) == pytest.approx(t.interval(0.95, 4, mean, error))


def test_without_doubt_of_seeds_the_interval_is_that_of_rows():
    assert on_both(0.2, 0.15, 0.3, 0.0, 5) == pytest.approx((0.15, 0.3))


def test_p_is_0_05_where_the_interval_ends_at_0_and_students_without_doubt_of_rows():
    low, _ = on_both(1.0, 0.5, 1.5, 0.05, 4)
    shifted = 1.0 - low
    assert both_p(shifted, shifted - 0.5, shifted + 0.5, 0.05, 4) == pytest.approx(0.05)
    assert both_p(-shifted, -shifted - 0.5, -shifted + 0.5, 0.05, 4) == pytest.approx(0.05)
    values = [1.0, 2.0, 4.0]
    mean, variance = np.mean(values), np.var(values, ddof=1) / 3
    assert both_p(mean, mean, mean, variance, 3) == pytest.approx(paired_t(values), rel=1e-6)


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize(
    ("row", "seed", "both"), [(0.2, 0.0, 0.3), (0.2, 0.03, 0.3), (0.2, 0.1, 0.3), (0.4, 0.02, 0.1)]
)
def test_the_interval_on_both_levels_holds_the_mean_of_all_rows_and_seeds(count, row, seed, both):
    """Also where rows alone (or seeds alone) hold it far too seldom."""
    rng, n, worlds = np.random.default_rng(7), 200, 600
    covered = rows_alone = 0
    for _ in range(worlds):
        table_SN = rng.normal(0, seed, (count, 1)) + rng.normal(0, row, n) + rng.normal(0, both, (count, n))
        mean, rows = table_SN.mean(), table_SN.mean(0).var(ddof=1) / n
        reach = 1.96 * rows**0.5
        extra = seeds_variance(list(table_SN.mean(1)), rows, table_SN.var(axis=1, ddof=1).mean() / n)
        low, high = on_both(mean, mean - reach, mean + reach, extra, count)
        covered += low <= 0 <= high
        rows_alone += abs(mean) <= reach
    assert 0.925 <= covered / worlds <= 0.985
    assert seed < 0.1 or rows_alone / worlds < 0.6


# measures over seeds


def seeds_of(rights, metric, sure=0.9):
    """The mean over runs that answer these rows right."""
    said = {i: predictions(right, sure=sure) for i, right in enumerate(rights)}
    found = samples(said, ASKED, 0)
    return over_seeds([found[i, metric] for i in said])


def hits(seed, n=300, share=0.8):
    return np.random.default_rng(seed).random(n) < share


def test_one_run_is_the_special_case():
    for right, n in ((0, 10), (7, 10), (10, 10)):
        rows = np.arange(n) < right
        assert wilson_of_means(rows.astype(float), 1) == pytest.approx(wilson(right, n), abs=1e-12)
    rows = np.array([1.0] * 12 + [-1.0] * 3 + [0.0] * 85)
    assert bonett_price_of_means(rows) == bonett_price(12, 3, 100)


@pytest.mark.parametrize("metric", sorted(ASKED))
def test_the_same_run_five_times_is_no_more_certain_than_once(metric):
    once, five = seeds_of([hits(0)], metric), seeds_of([hits(0)] * 5, metric)
    alone, together = measure(once), measure(five)
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high), abs=2e-3)
    assert together.n == alone.n == 300
    rival = seeds_of([hits(1)], metric)
    one, many = paired(once, rival)[0], paired(five, rival)[0]
    assert (many.low, many.high) == pytest.approx((one.low, one.high), abs=2e-3)


def test_seeds_that_disagree_widen_the_interval():
    calm = seeds_of([hits(i) for i in range(3)], "accuracy")
    wild = seeds_of([hits(i, share=share) for i, share in enumerate((0.6, 0.8, 1.0))], "accuracy")
    widths = [measure(s).high - measure(s).low for s in (calm, wild)]
    assert widths[1] > 4 * widths[0]
    assert "3 seeds" in measure(wild).how


@pytest.mark.parametrize("metric", sorted(ASKED))
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_right_and_all_wrong_keep_their_value_within(metric, share):
    found = measure(seeds_of([hits(0, 20, share)] * 3, metric))
    assert found.low <= found.value <= found.high
    if metric == "accuracy":
        assert found.high - found.low > 0.1


def test_seeds_that_share_no_errors_count_no_more_than_all_their_answers():
    halves = [np.arange(100) % 2 == 0, np.arange(100) % 2 == 1]
    found = measure(seeds_of(halves, "accuracy"))
    assert found.high - found.low > 2 * 1.96 * 0.5 / 200**0.5 * 0.9


def test_the_mean_over_seeds_is_covered_and_rows_never_pooled():
    """Five seeds of a recipe on the same 200 rows; the truth is the recipe's accuracy on all rows."""
    rng, n, worlds, accuracy = np.random.default_rng(3), 200, 300, 0.8
    covered = 0
    for _ in range(worlds):
        hard, lift = rng.random(n), rng.normal(0, 0.02, 5)
        rights = [np.where(rng.random(n) < 0.3, rng.random(n), hard) < accuracy + up for up in lift]
        found = samples({i: predictions(r) for i, r in enumerate(rights)}, {"accuracy": Accuracy()}, 0)
        shown = measure(over_seeds([found[i, "accuracy"] for i in range(5)]))
        covered += shown.low <= accuracy <= shown.high
    assert 0.925 <= covered / worlds <= 0.985


def test_the_detectable_difference_over_seeds_is_found_four_times_in_five():
    """Of accuracy, over rows and five seeds; the claim needs both levels, the t and the signs."""
    from warmstart.evaluate.verdict import claims

    def both(rng, gain, n=300):
        made = {}
        hard, lift = rng.random(n), rng.normal(0, 0.02, (2, 5))
        for arm, (name, share) in enumerate((("full", 0.75 + gain), ("scratch", 0.75))):
            rights = [np.where(rng.random(n) < 0.4, rng.random(n), hard) < share + up for up in lift[arm]]
            found = samples({i: predictions(r) for i, r in enumerate(rights)}, {"accuracy": Accuracy()}, 0)
            made[name] = over_seeds([found[i, "accuracy"] for i in range(5)])
        return made["full"], made["scratch"]

    rng = np.random.default_rng(11)
    limit = np.mean([detectable(*both(rng, 0.0)) for _ in range(100)])
    beaten = [
        claims(ours, {"scratch": theirs})[0].beaten for ours, theirs in (both(rng, limit) for _ in range(300))
    ]
    assert 0.7 <= np.mean(beaten) <= 0.92
