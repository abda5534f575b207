"""The baseline in the verdict: what needs no network is a reference, and never what is recommended."""

from dataclasses import replace

import numpy as np
import pytest
from evaluate_worlds import LABELS, first, run, world

from warmstart.evaluate.roles import as_it_is, cost, fine_tuned, from_scratch, without_network
from warmstart.evaluate.weigh import weigh

BAG = "a bag of words (TF-IDF with logistic regression)"


def with_baseline(runs, share, validation=None):
    """The same world and a baseline of that accuracy."""
    sizes = {name: len(said.rows) for name, said in next(iter(runs.values())).predictions.items()}
    shares = {**dict.fromkeys(sizes, share), "validation": share if validation is None else validation}
    scratch = run("scratch", {name: first(n, shares[name]) for name, n in sizes.items()})
    unaided = replace(
        scratch,
        name="baseline",
        plan=replace(scratch.plan, strategy="baseline"),
        baseline=BAG,
        parameters=500,
    )
    return {**runs, "baseline": unaided}


def weighed(runs, planned="full"):
    return weigh(planned, runs, LABELS)


def test_it_is_neither_from_scratch_nor_pretrained_and_the_cheapest_of_all():
    runs = with_baseline(world({"base": 0.5, "frozen": 0.7, "scratch": 0.6}), 0.8)
    found = runs["baseline"]
    assert without_network(found)
    assert not (as_it_is(found) or from_scratch(found) or fine_tuned(found))
    assert min(runs, key=lambda name: cost(runs[name])) == "baseline"
    assert not any(without_network(r) for name, r in runs.items() if name != "baseline")


@pytest.mark.parametrize(
    ("baseline", "verdict"),
    [(0.95, "not worth it"), (0.9, "not worth it"), (0.893, "cannot tell"), (0.6, "worth it")],
)
def test_a_run_that_is_not_shown_to_beat_it_is_not_worth_it(baseline, verdict):
    """Against scratch alone it would be in all these worlds."""
    runs = world({"frozen": 0.7, "full": 0.9, "scratch": 0.6}, test=600)
    assert weighed(runs).verdict == "worth it"
    found = weighed(with_baseline(runs, baseline))
    assert found.verdict == verdict
    assert found.recommended == "full"
    assert f"{BAG} answers {100 * round(600 * baseline) / 600:.1f} %" in found.headline


def test_the_headline_says_by_how_much_it_is_better():
    runs = with_baseline(world({"frozen": 0.7, "full": 0.8, "scratch": 0.6}, test=1000), 0.85)
    assert weighed(runs).headline == (
        "Not worth it: the full run answers 80.0 % of 1,000 test rows correctly, 5.0 points less than "
        f"{BAG} (95 % interval 3.6 to 6.4); {BAG} answers 85.0 %."
    )


def test_beaten_it_is_named_all_the_same():
    runs = with_baseline(world({"frozen": 0.7, "full": 0.9, "scratch": 0.6}, test=1200), 0.75)
    assert weighed(runs).headline.endswith(f"; {BAG} answers 75.0 %.")


def test_beside_a_lost_trial_against_scratch_it_is_said_not_to_be_beaten():
    runs = with_baseline(world({"frozen": 0.6, "full": 0.7, "scratch": 0.7}, test=600), 0.8)
    found = weighed(runs)
    assert found.verdict == "not worth it"
    assert "learning from scratch" in found.headline
    assert found.headline.endswith(f"{BAG} answers 80.0 %, and is not shown to be beaten.")


@pytest.mark.parametrize("share", [0.1, 0.8, 1.0])
def test_it_is_never_recommended(share):
    found = weighed(with_baseline(world({"frozen": 0.7, "full": 0.9, "scratch": 0.6}), share))
    assert found.recommended == "full"
    lower = "baseline is ahead, and has no network to recommend" in found.why.so
    assert lower == (share > 0.9)
    assert "baseline" in found.why.saw


def test_it_is_a_rival_with_metrics_a_gain_and_a_look_at_overfitting():
    found = weighed(with_baseline(world({"frozen": 0.7, "full": 0.9, "scratch": 0.6}), 0.8))
    assert found.gains["baseline"].value == pytest.approx(0.1)
    assert found.metrics["baseline"]["accuracy"].value == pytest.approx(0.8)
    assert "baseline" in found.overfitting


def test_without_scratch_it_is_named_once_among_the_references():
    found = weighed(with_baseline(world({"frozen": 0.7, "full": 0.9}), 0.95))
    assert found.verdict == "not worth it"
    assert found.headline.count("answers 95.0 %") == 1


def test_in_log_loss_it_has_a_log_loss():
    runs = with_baseline(world({"frozen": 0.7, "full": 0.9, "scratch": 0.6}), 0.8)
    headline = weigh("full", runs, LABELS, primary="log_loss").headline
    assert f"{BAG} has a log-loss of 0." in headline


def test_under_no_true_gain_over_it_worth_it_is_rare():
    """Equally good as the bag of words: called worth it in at most one of forty worlds."""
    random, calls, times = np.random.default_rng(0), 0, 200
    for _ in range(times):
        runs = {}
        for name, share in {"full": 0.8, "scratch": 0.4, "baseline": 0.8}.items():
            right = {"validation": random.random(100) < share, "test": random.random(150) < share}
            made = run("scratch" if name == "baseline" else name, right)
            runs[name] = replace(made, name=name, baseline=BAG if name == "baseline" else "")
        calls += weighed(runs).verdict == "worth it"
    assert calls / times <= 0.05
