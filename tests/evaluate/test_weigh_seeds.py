"""Worlds of several seeds whose right verdict is known, and how often it is wrong where nothing differs."""

from dataclasses import replace

import numpy as np
import pytest
from evaluate_worlds import LABELS, first, run

from warmstart.base.errors import WarmstartError
from warmstart.evaluate.arms import best_seed
from warmstart.evaluate.significance import holm
from warmstart.evaluate.weigh import weigh

SIZES = {"validation": 300, "test": 600, "train": 300}


def arm(name, shares, **sizes):
    """Runs of the seeds 0, 1, ... with these accuracies."""
    runs = []
    for seed, share in enumerate(shares):
        made = run(name, {split: first(n, share) for split, n in (SIZES | sizes).items()})
        runs.append(
            replace(made, name=f"{name}-seed-{seed}" if seed else name, plan=replace(made.plan, seed=seed))
        )
    return runs


def evidence(arms, planned="full", **sizes):
    return weigh(planned, {name: arm(name, shares, **sizes) for name, shares in arms.items()}, LABELS)


CLEAR = {"full": [0.9, 0.91, 0.89, 0.9, 0.9], "scratch": [0.7, 0.72, 0.68, 0.7, 0.71]}


def test_where_every_seed_wins_it_was_worth_it_and_the_headline_says_over_what():
    found = evidence(CLEAR)
    assert (found.verdict, found.recommended) == ("worth it", "full")
    assert found.headline.startswith(
        "Worth it: over 5 seeds the full run answers 90.0 % of 600 test rows correctly on average, "
        "19.8 points more than learning from scratch (95 % interval "
    )


def test_five_seeds_of_which_one_loses_show_nothing_though_the_rows_would():
    found = evidence({"full": [0.9] * 5, "scratch": [0.70, 0.72, 0.71, 0.70, 0.915]})
    gain = found.gains["scratch"]
    assert found.verdict == "cannot tell"
    assert gain.p_signs == 2 / 32
    assert gain.p_seeds < 0.05
    assert "the seeds do not agree on it" in found.headline or gain.low <= 0


def test_three_seeds_rest_on_the_paired_t():
    assert evidence({k: v[:3] for k, v in CLEAR.items()}).verdict == "worth it"
    wild = evidence({"full": [0.9, 0.9, 0.9], "scratch": [0.5, 0.7, 0.89]})
    assert wild.verdict == "cannot tell"
    assert wild.gains["scratch"].p_seeds > 0.05


def test_two_seeds_show_only_what_hardly_scatters():
    assert evidence({"full": [0.9, 0.9], "scratch": [0.6, 0.7]}).verdict == "cannot tell"


def test_where_the_seeds_are_alike_no_gain_is_ruled_out_as_with_one():
    found = evidence({"full": [0.8] * 5, "scratch": [0.8] * 5}, test=2000)
    assert found.verdict == "not worth it"


def test_seeds_that_scatter_leave_a_gain_possible_that_rows_alone_would_rule_out():
    scattered = {"full": [0.7, 0.9, 0.8, 0.72, 0.88], "scratch": [0.9, 0.7, 0.8, 0.88, 0.72]}
    assert evidence(scattered, test=2000).verdict == "cannot tell"


def test_p_is_corrected_for_the_number_of_rivals():
    found = evidence(CLEAR | {"frozen": [0.88, 0.89, 0.9, 0.87, 0.9]})
    expected = holm({rival: gain.p for rival, gain in found.gains.items()})
    assert {rival: gain.p_holm for rival, gain in found.gains.items()} == expected


def test_a_model_without_seeds_is_compared_with_each_of_them():
    found = evidence(CLEAR | {"base": [0.5]})
    assert [one.value for one in found.gains["base"].by_seed] == pytest.approx(
        [0.4, 0.41, 0.39, 0.4, 0.4], abs=2e-3
    )
    assert set(found.seeds) == {"full", "scratch"}
    assert found.verdict == "worth it"


def test_what_is_shipped_is_the_best_seed_on_validation_whatever_the_test_rows_say():
    runs = arm("full", [0.8, 0.9, 0.85])
    worse = run("full", {split: first(n, 0.6 if split == "test" else 0.9) for split, n in SIZES.items()})
    runs[1] = replace(worse, name="full-seed-1", plan=replace(worse.plan, seed=1))
    assert best_seed(runs) is runs[1]
    found = weigh("full", {"full": runs, "scratch": arm("scratch", [0.5, 0.5, 0.5])}, LABELS)
    assert found.shipped == "full-seed-1"
    assert found.seeds["full"][1].metrics["accuracy"].value == pytest.approx(0.6)
    assert found.metrics["full"]["accuracy"].value == pytest.approx((0.8 + 0.6 + 0.85) / 3)


@pytest.mark.parametrize(("dead", "verdict"), [((1,), "worth it"), ((1, 3), "cannot tell")])
def test_an_arm_from_scratch_of_which_half_did_not_learn_is_not_beaten(dead, verdict):
    scratch, full = arm("scratch", [0.7] * 4), arm("full", [0.9] * 4)
    for i in dead:
        idle = run("scratch", {"train": first(300, 0.33)}).predictions["train"]
        scratch[i] = replace(scratch[i], predictions=scratch[i].predictions | {"train": idle})
    found = weigh("full", {"full": full, "scratch": scratch}, LABELS)
    assert found.verdict == verdict
    assert ("did not learn" in found.headline) == (verdict != "worth it")


def test_arms_with_other_seeds_cannot_be_paired():
    runs = {"full": arm("full", [0.9, 0.9]), "scratch": arm("scratch", [0.7, 0.7, 0.7])[1:]}
    with pytest.raises(WarmstartError) as refused:
        weigh("full", runs, LABELS)
    assert refused.value.code == "seeds-differ"


# how often it is wrong


def recipe(rng, name, seeds, accuracy, scatter, n):
    """Runs of one recipe: the same rows are hard for all, and each seed has a luck of its own."""
    made = []
    for seed in range(seeds):
        luck = rng.normal(0, scatter)
        right = {}
        for split in ("validation", "test"):
            hard = np.random.default_rng(n + len(split)).random(n)
            right[split] = np.where(rng.random(n) < 0.3, rng.random(n), hard) < accuracy + luck
        one = run(name, right)
        made.append(replace(one, name=f"{name}-{seed}", plan=replace(one.plan, seed=seed)))
    return made


def verdicts(rng, seeds, worlds, gain=0.0, scatter=0.04, n=400):
    found = []
    for _ in range(worlds):
        arms = {
            "full": recipe(rng, "full", seeds, 0.8 + gain, scatter, n),
            "scratch": recipe(rng, "scratch", seeds, 0.8, scatter, n),
        }
        found.append(weigh("full", arms, LABELS).verdict)
    return found


def test_recipes_that_do_not_differ_are_rarely_worth_it_over_five_seeds_and_often_with_one():
    """One seed shows which of two models is better, and luck made one of them better."""
    rng = np.random.default_rng(0)
    assert verdicts(rng, 5, 60).count("worth it") <= 4
    assert verdicts(rng, 1, 60).count("worth it") >= 8


def test_a_real_gain_is_found_over_five_seeds():
    assert verdicts(np.random.default_rng(1), 5, 25, gain=0.12, scatter=0.02).count("worth it") >= 22
