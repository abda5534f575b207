"""Paired differences and claims: what the verdict is made of."""

import numpy as np
import pytest
from evaluate_worlds import first, predictions, world

from warmstart.evaluate.compare import detectable, measure, metrics, paired, samples
from warmstart.evaluate.metrics.log_loss import LogLoss
from warmstart.evaluate.significance import mcnemar
from warmstart.evaluate.verdict import FLOOR, WORTH, claims, judge

ASKED = metrics()


def sampled(right, sure=0.9):
    return samples({name: predictions(r, sure=sure) for name, r in right.items()}, ASKED, 0)


def hard_rows(seed=0, n=400):
    """Two runs that fail on much the same rows."""
    rng = np.random.default_rng(seed)
    common = rng.random(n)
    return {
        name: common + rng.normal(0, 0.1, n) < share for name, share in (("full", 0.85), ("scratch", 0.8))
    }


def test_a_paired_interval_is_that_of_the_differences_row_by_row():
    right = hard_rows()
    found = sampled(right)
    difference, p = paired(found["full", "log_loss"], found["scratch", "log_loss"])
    losses = [LogLoss().rows(q.truth, q.probabilities) for q in map(predictions, right.values())]
    each = losses[0] - losses[1]
    half = 1.96 * each.std() / len(each) ** 0.5
    assert difference.value == pytest.approx(each.mean())
    assert (difference.low, difference.high) == pytest.approx(
        (each.mean() - half, each.mean() + half), abs=half / 6
    )
    assert (p < 0.05) == (difference.high < 0)


def test_the_paired_macro_f1_is_that_of_scipys_paired_bootstrap():
    from scipy.stats import bootstrap
    from sklearn.metrics import f1_score

    said = {name: predictions(right) for name, right in hard_rows(n=150).items()}
    found = samples(said, ASKED, 0)
    ours, _ = paired(found["full", "macro_f1"], found["scratch", "macro_f1"])
    columns = said["full"].truth, said["full"].answers, said["scratch"].answers

    def gain(truth, a, b):
        return f1_score(truth, a, average="macro") - f1_score(truth, b, average="macro")

    theirs = bootstrap(
        columns, gain, paired=True, vectorized=False, n_resamples=150, method="percentile", rng=0
    )
    low, high = theirs.confidence_interval
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.03)


def test_every_metric_has_an_interval_that_holds_its_value():
    for sample in sampled(hard_rows()).values():
        shown = measure(sample)
        assert shown.low <= shown.value <= shown.high
        assert shown.low < shown.high


@pytest.mark.parametrize("metric", sorted(ASKED))
def test_runs_that_never_differ_still_have_a_detectable_difference(metric):
    found = sampled({"full": first(100, 0.8), "scratch": first(100, 0.8)})
    pair = found["full", metric], found["scratch", metric]
    assert detectable(*pair) > 0.05
    assert paired(*pair)[1] == 1


@pytest.mark.parametrize("metric", sorted(ASKED))
def test_the_detectable_difference_of_one_row_is_the_whole_range(metric):
    found = sampled({"full": first(1, 1.0), "scratch": first(1, 0.0)})
    least, most = ASKED[metric].bounds
    assert detectable(found["full", metric], found["scratch", metric]) == most - least


def against(rivals, n=300, metric="accuracy"):
    """Claims of a run with 80 % right over rivals given as (rows won, rows lost)."""
    right = {"full": first(n, 0.8)}
    for name, (won, lost) in rivals.items():
        rival = first(n, 0.8)
        rival[:won], rival[n - lost :] = False, True
        right[name] = rival
    found = sampled(right)
    return claims(found["full", metric], {name: found[name, metric] for name in rivals})


def test_a_rival_is_beaten_only_if_both_its_p_and_its_interval_say_so():
    assert mcnemar(9, 2) < 0.05
    (claim,) = against({"scratch": (9, 2)})
    assert claim.p == mcnemar(9, 2)
    assert claim.gain.low <= 0
    assert not claim.beaten
    assert against({"scratch": (12, 2)})[0].beaten


def test_two_rivals_that_are_each_barely_beaten_are_not_both_claimed():
    near = (13, 4)
    assert 0.05 / 2 < mcnemar(*near) < 0.05
    assert against({"scratch": near})[0].beaten
    assert not any(claim.beaten for claim in against({"scratch": near, "base": near}))
    both = against({"scratch": near, "base": (200, 0)})  # one that is clear costs the other nothing
    assert all(claim.beaten for claim in both)


def test_fewer_than_thirty_rows_decide_only_on_accuracy():
    assert against({"scratch": (15, 0)}, n=29)[0].beaten
    for metric in ("macro_f1", "log_loss", "brier"):
        (claim,) = against({"scratch": (15, 0)}, n=29, metric=metric)
        assert claim.gain.low > 0
        assert not claim.beaten
        assert against({"scratch": (15, 0)}, n=30, metric=metric)[0].beaten


def test_the_claim_on_the_recommended_run_decides_among_equals():
    found = against({"scratch": (0, 60), "base": (0, 60)})
    assert judge(found, "full", "base")[1].reference == "base"
    assert judge(found, "full", "full")[1].reference == "scratch"


def test_beating_the_floor_alone_is_not_worth_anything():
    found = against({FLOOR: (200, 0)})
    assert found[0].beaten
    assert judge(found, "full", "full")[0] != WORTH


def test_the_draws_are_shared_by_all_runs():
    said = {name: run.predictions["test"] for name, run in world({"full": 0.8, "gradual": 0.8}).items()}
    found = samples(said, ASKED, 0)
    assert (found["full", "log_loss"].draws_B == found["gradual", "log_loss"].draws_B).all()


def test_the_calibration_error_is_held_though_few_rows_make_it_too_high():
    """Of a model that is 8 points too sure of itself; the percentile interval holds that too seldom."""
    rng, truth, n, worlds = np.random.default_rng(0), 0.08, 150, 100
    held = plain = 0
    for seed in range(worlds):
        chance = rng.uniform(0.45, 0.85, n)
        right, sure = rng.random(n) < chance, chance + truth
        said = predictions(right)
        said.probabilities[:] = ((1 - sure) / 2)[:, None]
        said.probabilities[np.arange(n), np.where(right, said.truth, (said.truth + 1) % 3)] = sure
        sample = samples({"full": said}, {"ece": ASKED["ece"]}, seed)["full", "ece"]
        shown = measure(sample)
        held += shown.low <= truth <= shown.high
        plain += np.quantile(sample.draws_B, 0.025) <= truth <= np.quantile(sample.draws_B, 0.975)
    assert held >= 90
    assert plain <= 85
