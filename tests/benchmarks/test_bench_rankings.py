"""The ranking half of the study: what agrees with the truth, what a choice costs, and what is told of it."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, weightedtau
from study_world import ARMS, DIGITS, a_cell, pool, validation

from benchmarks.decisions import agreement, regret
from benchmarks.decisions.logme_published import evidence, logme_published
from benchmarks.decisions.policies import BESIDE, FIXED, recommended
from benchmarks.decisions.spread import mean_of
from warmstart.select.scores.logme import maximise

# agreement


def by_hand(score, truth):
    """Weighted tau-b from its definition, pair by pair; ranks by (truth, score), both falling."""
    order = sorted(range(len(truth)), key=lambda i: (-truth[i], -score[i]))
    rank = {i: r for r, i in enumerate(order)}
    right, over_truth, over_score = 0.0, 0.0, 0.0
    for i in range(len(truth)):
        for j in range(len(truth)):
            weight = (1 / (rank[i] + 1) + 1 / (rank[j] + 1)) if i != j else 0.0
            a, b = np.sign(truth[i] - truth[j]), np.sign(score[i] - score[j])
            right, over_truth, over_score = (
                right + weight * a * b,
                over_truth + weight * a * a,
                over_score + weight * b * b,
            )
    return right / np.sqrt(over_truth * over_score)


@pytest.mark.parametrize("ties", [False, True], ids=["apart", "ties"])
def test_weighted_tau_is_that_of_its_definition(ties):
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth, score = rng.normal(size=8), rng.normal(size=8)
        if ties:
            truth, score = truth.round(0), score.round(0)
        assert agreement.tau_w(score, truth) == pytest.approx(by_hand(score, truth))
        both_ways = agreement.tau_w(score, truth, by_truth=False)
        assert both_ways == pytest.approx(weightedtau(truth, score).statistic)


def test_a_mistake_at_the_top_costs_more_than_one_at_the_bottom():
    truth = [0.9, 0.8, 0.7, 0.6, 0.5]
    assert agreement.tau_w(truth, truth) == pytest.approx(1)
    assert agreement.tau_w([-t for t in truth], truth) == pytest.approx(-1)
    top, bottom = [0.8, 0.9, 0.7, 0.6, 0.5], [0.9, 0.8, 0.7, 0.5, 0.6]
    assert agreement.tau_w(top, truth) < agreement.tau_w(bottom, truth) < 1


def test_a_score_that_is_the_same_for_all_says_nothing():
    assert agreement.tau_w([1.0, 1.0, 1.0], [0.1, 0.2, 0.3]) == 0


# LogME as published


def clouds(rows, columns, classes, spread, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    features = rng.normal(size=(rows, columns))
    features[:, :classes] += spread * np.eye(classes)[labels]
    return features, labels


@pytest.mark.parametrize(("rows", "columns"), [(40, 90), (100, 768), (90, 40)])
def test_what_is_published_lacks_a_term_of_the_exact_evidence_where_rows_are_few(rows, columns):
    features, labels = clouds(rows, columns, 3, 2.0, 0)
    left, values, _ = np.linalg.svd(features, full_matrices=False)
    target = (labels == 0).astype(float)
    said, turn = evidence(left, values**2, target, columns)
    exact = multivariate_normal(
        np.zeros(rows), np.eye(rows) / turn.beta + features @ features.T / turn.alpha
    ).logpdf(target)
    lacking = (columns - len(values)) / 2 * np.log(turn.alpha)
    assert said * rows - lacking == pytest.approx(exact, rel=5e-3), "the iteration ends within a thousandth"
    assert (lacking > 0) == (columns > rows)


def test_where_rows_are_many_it_is_the_products_logme():
    features, labels = clouds(400, 20, 4, 1.0, 1)
    targets = (labels[:, None] == np.unique(labels)).astype(float)
    assert logme_published(features, labels) == pytest.approx(
        maximise(features, targets).per_row_C.mean(), abs=1e-3
    )


def test_where_rows_are_few_it_ranks_wide_noise_first_and_the_products_does_not():
    telling, labels = clouds(100, 128, 4, 3.0, 2)
    noise = np.random.default_rng(3).normal(size=(100, 1024))
    assert logme_published(noise, labels) > logme_published(telling, labels)
    targets = (labels[:, None] == np.unique(labels)).astype(float)
    exact = [maximise(f, targets).per_row_C.mean() for f in (noise, telling)]
    assert exact[0] < exact[1]


# regret


def drawn(rng, shares, rows=200):
    return {arm: rng.random(rows) < share for arm, share in zip(ARMS, shares, strict=True)}


def test_where_all_strategies_are_equal_fair_regret_is_none_and_naive_regret_is_luck():
    rng = np.random.default_rng(0)
    some = [a_cell(drawn(rng, [0.7] * 6), seed=i) for i in range(300)]
    found = [regret.cost_of(cell, [], splits=4)["full"] for cell in some]
    naive, fair = np.array([c.naive for c in found]), np.array([c.fair for c in found])
    assert naive.mean() > 0.02
    assert abs(fair.mean()) < 3 * fair.std() / np.sqrt(len(fair)) < 0.01


def test_a_strategy_that_is_worse_costs_what_it_is_worse_by():
    rng = np.random.default_rng(1)
    shares = [0.6, 0.6, 0.6, 0.6, 0.5, 0.9]
    found = [regret.cost_of(a_cell(drawn(rng, shares), seed=i), [], 4) for i in range(200)]
    assert np.mean([c["full"].fair for c in found]) == pytest.approx(0.3, abs=0.01)
    assert np.mean([c["plain"].fair for c in found]) == pytest.approx(0, abs=0.005)


def test_the_best_by_other_seeds_is_asked_in_this_one():
    def one(best, seed):
        return a_cell({arm: [arm == best, False] for arm in ARMS}, seed=seed)

    here, there = one("full", 0), [one("plain", 1), one("plain", 2)]
    found = regret.cost_of(here, there)
    assert (found["full"].seeds, found["plain"].seeds) == (-0.5, 0.0)
    assert regret.cost_of(here, [])["full"].seeds is None


def test_a_way_to_decide_is_a_function_and_counts_only_where_it_can_be_carried_out():
    some = [a_cell({arm: [True, arm != "frozen"] for arm in ARMS}, seed=i) for i in range(2)]
    more = {**FIXED, "by size": lambda cell: "frozen" if cell.cell.seed else "full"}
    cost = regret.costs(some, more)
    assert [found["by size"].naive for found in cost] == [0.0, 0.5]
    assert all("always LoRA" not in found for found in cost), "no cell has that strategy"
    lines = regret.summary(some, cost, 200)
    assert lines["by size"].strategies == {"full": 1, "frozen": 1}
    assert lines["by size"].gain.value == -0.25
    assert lines[BESIDE].within == {"0.5": 1.0, "1": 1.0}


def test_a_rival_is_recommended_only_if_the_validation_rows_are_sure_of_it():
    right = {arm: [True, False] for arm in ARMS}
    shares = {"full": 0.5, "frozen": 0.6, "scratch": 0.4, "gradual": 1.0}

    def of(**changes):
        return recommended(
            a_cell(right, validated={k: validation(v, 100) for k, v in (shares | changes).items()}), "full"
        )

    assert of() == "frozen", "a tenth more of the same rows, and none lost"
    assert of(frozen=0.52) == "full", "two rows more are nothing sure"
    assert of(frozen=0.7, scratch=0.9) == "scratch", "the best of those; gradual is no rival"


def test_rows_fall_into_bands_that_say_their_ends():
    assert [regret.band(n) for n in (50, 100, 200, 2000)] == [
        "up to 100",
        "up to 100",
        "101 to 400",
        "over 400",
    ]


def test_an_interval_draws_whole_clusters():
    within = mean_of([0.0, 0.0, 1.0, 1.0], ["a", "a", "b", "b"])
    apart = mean_of([0.0, 1.0] * 50, list(range(100)))
    assert (within.low, within.high, within.clusters) == (0.0, 1.0, 2)
    assert (apart.low, apart.high) == pytest.approx((0.4, 0.6), abs=0.02)
    alone = mean_of([0.5, 0.7], ["a", "a"])
    assert (alone.value, alone.low) == (pytest.approx(0.6), None)
    assert mean_of([], []) is None


# pools


def test_a_score_is_charged_with_what_its_first_choice_lacks_of_the_best():
    raced = pool([0.9, 0.6, 0.3])
    wise, wrong = dict(zip(DIGITS, (3, 2, 1), strict=True)), dict(zip(DIGITS, (1, 2, 3), strict=True))
    good, bad = agreement.placed(raced, wise, wise), agreement.placed(raced, wrong, wise)
    assert (good.tau["full"], good.regret) == (pytest.approx(1), 0)
    assert bad.tau["full"] == pytest.approx(-1)
    assert bad.regret == pytest.approx(0.6, abs=0.1)
    assert bad.regret_fair == pytest.approx(bad.regret, abs=0.02)


def test_of_equal_scores_the_smallest_candidate_is_first():
    raced = pool([0.9, 0.6, 0.3])
    assert agreement.placed(raced, dict.fromkeys(DIGITS, 1.0), dict.fromkeys(DIGITS, 1.0)).regret == 0


def test_a_race_takes_whom_the_validation_rows_choose():
    validated = {
        model: {arm: validation(v) for arm in ARMS} for model, v in zip(DIGITS, (0.9, 0.5, 0.5), strict=True)
    }
    raced = pool([0.9, 0.6, 0.3], validated=validated)
    wrong = dict(zip(DIGITS, (1, 2, 3), strict=True))
    found = agreement.placed(raced, wrong, wrong)
    assert found.race == 0 < found.regret


def test_a_score_that_knows_of_two_candidates_only_is_no_order():
    raced = pool([0.9, 0.6, 0.3])
    some = {DIGITS[0]: 1.0, DIGITS[1]: 0.5, DIGITS[2]: None}
    assert agreement.placed(raced, some, some) is None


def test_a_truth_that_is_clear_agrees_with_itself_and_one_that_is_noise_does_not():
    clear, noise = (
        agreement.ceilings(pool([0.9, 0.6, 0.3])),
        agreement.ceilings(pool([0.5, 0.5, 0.5], rows=60)),
    )
    assert min(clear.values()) == pytest.approx(1)
    assert noise["halves"] < 0.6
    assert noise["halves"] < noise["drawn anew"]


def test_what_frozen_networks_reach_is_judged_as_a_score_too():
    found = agreement.other_strategies(pool([0.9, 0.6, 0.3]))
    assert set(found) == set(agreement.AS_SCORES)
    assert found["frozen"] == pytest.approx(1)


def test_other_seeds_tell_how_far_rows_and_training_change_the_order():
    one, same, other = pool([0.9, 0.6, 0.3]), pool([0.9, 0.6, 0.3], seed=1), pool([0.3, 0.6, 0.9], seed=2)
    assert agreement.other_seeds(one, [one]) is None
    assert agreement.other_seeds(one, [one, same]) == pytest.approx(1)
    assert agreement.other_seeds(one, [one, same, other]) == pytest.approx(0)
