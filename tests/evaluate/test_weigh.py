"""Worlds whose right verdict is known, and how often the verdict is wrong where chance rules."""

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluate_worlds import LABELS, alike, first, predictions, run, world

from warmstart.base.errors import WarmstartError
from warmstart.base.tables import to_table
from warmstart.base.types import Predictions
from warmstart.evaluate.compare import samples
from warmstart.evaluate.metrics import METRICS
from warmstart.evaluate.metrics.accuracy import Accuracy
from warmstart.evaluate.significance import detectable_share, mcnemar
from warmstart.evaluate.verdict import FLOOR, claims, floor, judge
from warmstart.evaluate.weigh import weigh

TUNED = {"base": 0.5, "frozen": 0.7, "full": 0.9, "scratch": 0.6}


def evidence(runs, planned="full", **settings):
    found = weigh(planned, runs, LABELS, **settings)
    json.dumps(to_table(found), allow_nan=False)  # finite throughout, or this raises
    return found


def verdict(runs, planned="full", **settings):
    found = evidence(runs, planned, **settings)
    return found.verdict, found.recommended


# worlds


@pytest.mark.parametrize("primary", ["accuracy", "macro_f1", "log_loss", "brier"])
def test_where_tuning_wins_it_was_worth_it(primary):
    assert verdict(world(TUNED), primary=primary) == ("worth it", "full")


@pytest.mark.parametrize("primary", ["accuracy", "macro_f1", "log_loss", "brier"])
def test_where_scratch_wins_it_was_not_worth_it(primary):
    assert verdict(world({"frozen": 0.6, "full": 0.7, "scratch": 0.9}), primary=primary) == (
        "not worth it",
        "scratch",
    )


def test_frozen_features_that_beat_scratch_are_worth_it_though_tuning_was_planned():
    found = evidence(world({"frozen": 0.9, "full": 0.85, "scratch": 0.7}, test=300))
    assert (found.verdict, found.recommended) == ("worth it", "frozen")


def test_where_few_rows_differ_by_chance_nothing_can_be_told():
    rng = np.random.default_rng(0)
    halves = {name: rng.random(200) < 0.7 for name in ("full", "scratch")}
    runs = {name: run(name, {"validation": right, "test": right[::-1]}) for name, right in halves.items()}
    assert verdict(runs)[0] == "cannot tell"


def test_where_the_base_is_as_good_tuning_is_not_recommended_and_was_not_worth_it():
    assert verdict(world({"base": 0.9, "full": 0.9, "scratch": 0.5})) == ("not worth it", "base")


def test_where_the_base_is_as_good_but_few_rows_were_tested_nothing_can_be_told():
    assert verdict(world({"base": 0.9, "full": 0.9, "scratch": 0.5}, test=100)) == ("cannot tell", "base")


def test_a_base_that_is_far_behind_does_not_stand_in_the_way():
    assert verdict(world(TUNED | {"base": 0.33})) == ("worth it", "full")


def test_runs_that_answer_alike_are_equal_on_a_thousand_rows_and_unknown_on_ten():
    same = {"full": 0.8, "scratch": 0.8}
    assert verdict(world(same, test=1000)) == ("not worth it", "full")
    assert verdict(world(same, test=10)) == ("cannot tell", "full")


@pytest.mark.parametrize("primary", ["macro_f1", "log_loss", "brier"])
def test_agreement_on_few_rows_is_no_equality_in_other_metrics_either(primary):
    for rows in (10, 29, 100):
        assert verdict(world({"full": 0.8, "scratch": 0.8}, test=rows), primary=primary)[0] == "cannot tell"


def test_a_gain_that_is_real_but_below_one_point_was_not_worth_it():
    found = evidence(world({"full": 0.805, "scratch": 0.8}, test=8000, validation=2000))
    assert found.gains["scratch"].low > 0
    assert found.verdict == "not worth it"
    assert "a gain of 1.0 points or more is ruled out" in found.headline


def test_a_model_that_is_not_above_the_most_frequent_class_was_not_worth_it():
    runs = world({"full": 0.33, "scratch": 0.1}, test=3000)
    assert verdict(runs)[0] != "worth it"
    assert "always giving the most frequent class" in evidence(runs).headline


def test_without_scratch_the_cheaper_runs_stand_in_and_the_headline_says_so():
    found = evidence(world({"frozen": 0.7, "full": 0.9}))
    assert found.verdict == "worth it"
    assert "than the frozen run" in found.headline
    assert "learning from scratch was not run" in found.headline
    assert verdict(world({"frozen": 0.9, "full": 0.9}, test=1000)) == ("cannot tell", "frozen")


def test_a_run_without_any_rival_is_never_worth_it():
    found = evidence(world({"full": 0.95}))
    assert found.verdict == "cannot tell"
    assert "nothing was run that does without fine-tuning" in found.headline


def test_without_a_fine_tuned_run_nothing_can_be_told():
    found = evidence(world({"scratch": 0.9, "base": 0.5}), planned="scratch")
    assert (found.verdict, found.recommended) == ("cannot tell", "scratch")
    assert "no run was fine-tuned" in found.headline


def test_where_validation_chose_scratch_and_test_speaks_for_tuning_nothing_can_be_told():
    runs = {
        "full": run("full", {"validation": first(200, 0.6), "test": first(600, 0.9)}),
        "scratch": run("scratch", {"validation": first(200, 0.9), "test": first(600, 0.6)}),
    }
    found = evidence(runs)
    assert (found.verdict, found.recommended) == ("cannot tell", "scratch")
    assert "the validation rows, which choose, say otherwise" in found.headline


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("rows", [1, 2, 50])
def test_all_right_and_all_wrong_have_intervals_with_width(rows, share):
    found = evidence(
        world({"full": share, "scratch": 1 - share, "frozen": share}, test=rows, validation=rows)
    )
    for measures in found.metrics.values():
        assert measures["accuracy"].high - measures["accuracy"].low > 0.05
    for gain in found.gains.values():
        assert gain.high - gain.low > 0.02
        assert gain.low <= gain.value <= gain.high


@pytest.mark.parametrize("primary", METRICS.names())
@pytest.mark.parametrize("shares", [{"full": 1.0, "scratch": 0.0}, {"full": 1.0, "scratch": 1.0}])
def test_one_test_row_tells_nothing(primary, shares):
    assert verdict(world(shares, test=1), primary=primary)[0] == "cannot tell"


def test_a_class_that_is_missing_in_test_leaves_every_number_finite():
    runs = world(TUNED)
    for name, r in runs.items():
        test = r.predictions["test"]
        kept = test.truth != 2
        less = Predictions(test.rows[kept], test.truth[kept], test.probabilities[kept])
        runs[name] = replace(r, predictions=r.predictions | {"test": less})
    assert verdict(runs, primary="macro_f1")[0] == "worth it"


def test_a_model_that_is_always_sure_and_wrong_on_a_tenth_is_below_the_floor_in_log_loss():
    found = evidence(world(TUNED, sure=1.0), primary="log_loss")  # infinite, were it not clipped
    assert found.metrics["full"]["log_loss"].value == pytest.approx(
        2.763, abs=1e-3
    )  # the floor has ln 3 = 1.099
    assert found.verdict == "not worth it"
    assert "than always giving the shares of the classes" in found.headline


def test_where_scratch_is_recommended_the_planned_run_is_on_trial():
    runs = world({"frozen": 0.6, "full": 0.7, "scratch": 0.9})
    assert "the full run 20.0 points less" in evidence(runs, "full").headline
    assert "the frozen run 30.0 points less" in evidence(runs, "frozen").headline
    assert "the full run 20.0 points less" in evidence(runs, "scratch").headline  # the best on validation


def test_the_floor_knows_no_impossible_class_and_counts_training_rows():
    full = run("full", {"train": first(2, 1.0), "validation": first(9, 1.0), "test": first(4, 1.0)})
    assert (
        floor(full, 3).probabilities.tolist() == [[0.4, 0.4, 0.2]] * 4
    )  # one row of each of two classes, plus 1
    without = replace(full, predictions={s: p for s, p in full.predictions.items() if s != "train"})
    assert floor(without, 3).probabilities == pytest.approx(1 / 3)


# how often it is wrong


def on_trial(right, planned="full"):
    """The verdict on `full`, recommended, against scratch and the floor, from the test rows alone."""
    said = {name: predictions(r) for name, r in right.items()}
    a_run = run("full", {"validation": right["full"], "test": right["full"]})
    found = samples(said | {FLOOR: floor(a_run, 3)}, {"accuracy": Accuracy()}, 0)
    rivals = {name: found[name, "accuracy"] for name in ("scratch", FLOOR)}
    return judge(claims(found["full", "accuracy"], rivals), "full", planned)[0]


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_equal_runs_are_rarely_called_worth_it_even_if_the_subject_is_always_recommended(shared):
    rng, equal = np.random.default_rng(1), {"full": 0.8, "scratch": 0.8}
    verdicts = [on_trial(alike(rng, 300, equal, shared)) for _ in range(1000)]
    assert verdicts.count("worth it") <= 40  # 2.5 % in the long run; 4 % is three standard errors more
    assert verdicts.count("worth it") >= 5  # and the test is not dead


def test_a_real_gain_is_rarely_called_not_worth_it_and_found_as_often_as_promised():
    rng, n, accuracies = np.random.default_rng(2), 300, {"full": 0.85, "scratch": 0.75}
    worlds = [alike(rng, n, accuracies, 0.8) for _ in range(500)]
    discordance = np.mean([(right["full"] != right["scratch"]).mean() for right in worlds])
    assert detectable_share(discordance, n) < 0.1  # a difference of 10 points is above it
    verdicts = [on_trial(right) for right in worlds]
    assert verdicts.count("not worth it") <= 5
    assert verdicts.count("worth it") >= 400


def test_a_gain_of_the_margin_is_rarely_called_not_worth_it():
    rng, accuracies = np.random.default_rng(3), {"full": 0.81, "scratch": 0.8}
    verdicts = [on_trial(alike(rng, 4000, accuracies, 0.9)) for _ in range(500)]
    assert verdicts.count("not worth it") <= 25  # 2.5 % in the long run


def test_from_validation_to_verdict_equal_runs_are_worth_it_at_most_seven_times_in_a_hundred():
    rng, equal = np.random.default_rng(4), {"frozen": 0.8, "full": 0.8, "scratch": 0.8}
    verdicts = []
    for _ in range(75):
        splits = {split: alike(rng, 300, equal, 0.7) for split in ("validation", "test")}
        runs = {name: run(name, {split: right[name] for split, right in splits.items()}) for name in equal}
        verdicts.append(weigh("full", runs, LABELS).verdict)
    assert verdicts.count("worth it") <= 5


# the values


def test_gains_are_recommended_minus_rival_with_mcnemars_p():
    found = evidence(world(TUNED))
    assert set(found.gains) == {"base", "frozen", "scratch"}
    gain = found.gains["scratch"]
    assert (gain.rival, gain.metric, gain.n) == ("scratch", "accuracy", 600)
    assert gain.value == pytest.approx(0.3)
    assert gain.p == mcnemar(180, 0)


def test_where_lower_is_better_a_negative_gain_is_good():
    found = evidence(world(TUNED), primary="log_loss")
    assert all(gain.high < 0 for gain in found.gains.values())


def test_evidence_has_every_metric_of_every_run_and_the_detectable_difference_of_the_pair():
    found = evidence(world(TUNED))
    assert set(found.metrics) == set(TUNED) == set(found.overfitting)
    assert all(set(measures) == set(METRICS.names()) for measures in found.metrics.values())
    assert found.metrics["full"]["accuracy"].value == pytest.approx(0.9)
    assert found.primary == "accuracy"
    assert found.detectable == detectable_share(0.3, 600)  # full and scratch differ on 180 of 600 rows


def test_the_same_seed_gives_the_same_evidence_and_another_seed_other_draws():
    runs = world(TUNED)
    assert evidence(runs) == evidence(runs)
    ours, theirs = (evidence(runs, seed=seed).metrics["full"]["macro_f1"] for seed in (0, 1))
    assert ours.value == theirs.value
    assert (ours.low, ours.high) != (theirs.low, theirs.high)


def test_the_order_of_rows_and_runs_does_not_matter():
    runs = world(TUNED)
    order = np.random.default_rng(0).permutation(600)
    test = runs["full"].predictions["test"]
    shuffled = Predictions(test.rows[order], test.truth[order], test.probabilities[order])
    mixed = replace(runs["full"], predictions=runs["full"].predictions | {"test": shuffled})
    assert evidence(dict(reversed((runs | {"full": mixed}).items()))) == evidence(runs)


# refusals


def refused(runs, planned="full", **settings):
    with pytest.raises(WarmstartError) as error:
        weigh(planned, runs, LABELS, **settings)
    return error.value


def with_test(runs, name, **changed):
    r = runs[name]
    test = replace(r.predictions["test"], **changed)
    return runs | {name: replace(r, predictions=r.predictions | {"test": test})}


def test_an_unknown_run_or_metric_is_refused_with_the_nearest():
    assert refused(world(TUNED), "fulll").do == "did you mean 'full'?"
    assert refused(world(TUNED), primary="acuracy").do == "did you mean 'accuracy'?"


def test_runs_that_answered_other_rows_are_refused():
    runs = world(TUNED)
    error = refused(with_test(runs, "scratch", rows=runs["scratch"].predictions["test"].rows + 1))
    assert error.code == "rows-differ"
    assert "'scratch'" in error.wrong
    other = 2 - runs["frozen"].predictions["test"].truth
    assert refused(with_test(runs, "frozen", truth=other)).code == "rows-differ"


def test_runs_without_validation_rows_are_refused():
    runs = {"full": run("full", {"test": first(10, 0.5)})}
    assert refused(runs).code == "no-rows"
    assert (
        refused({"full": run("full", {"test": first(0, 0.5), "validation": first(9, 0.5)})}).code == "no-rows"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.2, 7.5])
def test_what_is_no_probability_is_refused_with_its_row(value):
    runs = world(TUNED)
    wrong = runs["full"].predictions["test"].probabilities.copy()
    wrong[3, 1] = value
    error = refused(with_test(runs, "full", probabilities=wrong))
    assert error.code == "no-probabilities"
    assert "row 20003" in error.wrong


def test_probabilities_that_only_sum_to_1_are_refused():
    runs = world(TUNED)
    wrong = runs["full"].predictions["test"].probabilities.copy()
    wrong[3] = 1.2, -0.2, 0.0
    assert refused(with_test(runs, "full", probabilities=wrong)).code == "no-probabilities"


def test_too_many_classes_and_unknown_classes_are_refused():
    runs = world(TUNED)
    test = runs["full"].predictions["test"]
    wide = np.hstack([test.probabilities, np.zeros((600, 1))])
    assert refused(with_test(runs, "full", probabilities=wide)).code == "wrong-shape"
    assert refused(with_test(runs, "full", truth=test.truth + 1)).code == "no-such-class"
