"""The race: nobody is out without being shown to be worse, and size decides only where it costs nothing.

Candidates are given by what they answer: the trainings are inputs here, made of numbers.
"""

import re
from dataclasses import replace

import numpy as np
import pytest

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Candidate, Measure, Scored
from warmstart.select.heats import Answers, Judges, ran, tempered_losses
from warmstart.select.race import enter, race
from warmstart.select.scores._scoring import untrained

CLASSES = 4


def measure(name, value, half=0.02, n=400):
    return Measure(name, value, value - half, value + half, n)


def scored(name, parameters=1_000_000, accuracy=0.8, behind=0.0, half=0.05):
    return Scored(
        candidate=Candidate(name, f"models/{name}", parameters),
        score=measure("logistic_probe", -behind),
        opinions={},
        accuracy=measure("accuracy", accuracy),
        depths={},
        seconds=1.0,
        prior=1,
        behind=measure("logistic_probe", behind, half if behind else 0.0),
    )


def answers(right, n=200, seed=0, sure=2.0, shared=7):
    """Answers of which about `right` are right; who is asked the same rows shares most of their luck."""
    luck, own = np.random.default_rng(shared), np.random.default_rng((shared, seed))
    truth = np.arange(n) % CLASSES
    logits = own.normal(0, 0.3, (n, CLASSES))
    hard = 0.8 * luck.random(n) + 0.2 * own.random(n)
    hit = hard < np.quantile(hard, right) if right < 1 else np.ones(n, bool)
    said = np.where(hit, truth, (truth + 1) % CLASSES)
    logits[np.arange(n), said] += sure
    odds = np.exp(logits)
    return Answers(truth, odds / odds.sum(1, keepdims=True), 1.0)


def taught(**shares):
    """A training that makes each candidate right in so many of 200 rows: one share, or one for each lap."""
    calls = []

    def train(candidate, lap, rows):
        calls.append((candidate.name, lap, rows))
        share = shares[candidate.name]
        if isinstance(share, WarmstartError):
            raise share
        value = share[lap - 1] if isinstance(share, tuple) else share
        return answers(value, seed=sum(map(ord, candidate.name)))

    train.calls = calls
    return train


def held(entrants, train, laps=(100, 200), **more):
    return race(entrants, laps, train, judged=200, **more)


def names(found):
    return [source.removeprefix("models/") for source in found.order]


def said(found, rule):
    return [reason.so for reason in found.reasons if rule in reason.rule]


# The rule, by another way


def by_hand(entrants, train, laps):
    """The race again, in loops: brute force over every draw of rows."""
    folds = untrained(200)
    standing, gone = list(entrants), []
    for number, learned in enumerate(laps, 1):
        if len(standing) < 2:
            break
        rows = learned
        said = {e.candidate.name: train(e.candidate, number, rows) for e in standing}
        losses = {name: slow_losses(a) for name, a in said.items()}
        hits = {name: (a.probabilities_NC.argmax(1) == a.truth_N) * 1.0 for name, a in said.items()}
        leader = min(standing, key=lambda e: losses[e.candidate.name].mean()).candidate.name
        out = []
        for e in standing:
            name = e.candidate.name
            low, _ = slow_interval(losses[name] - losses[leader], folds, rows)
            if name != leader and low > 0 and hits[name].mean() <= hits[leader].mean():
                out.append(e)
        gone = sorted((e.candidate.name for e in out), key=lambda n: losses[n].mean()) + gone
        standing = [e for e in standing if e not in out]
    left = sorted(standing, key=lambda e: losses[e.candidate.name].mean())
    for small in sorted(left, key=lambda e: e.candidate.parameters):
        mine = hits[small.candidate.name]
        paid = False
        for other in [e for e in left if e is not small]:
            gaps = mine - hits[other.candidate.name]
            low, high = slow_interval(gaps, folds, rows)
            raced = ((high - low) / 3.919927969) ** 2
            frozen = 2 * (0.02 / 1.9599639845) ** 2 + 0.03**2
            apart = small.accuracy.value - other.accuracy.value
            weight = 1 / raced + 1 / frozen + 1 / 0.05**2
            paid |= (gaps.mean() / raced + apart / frozen) / weight <= -0.0025
        if not paid:
            break
    else:
        raise AssertionError("of these draws one always costs nothing")
    return [small.candidate.name, *(e.candidate.name for e in left if e is not small), *gone]


def slow_losses(given):
    """The lowest mean log-loss over a fine grid of temperatures."""
    rows = np.arange(len(given.truth_N))
    best = None
    for t in np.exp(np.linspace(-3, 3, 3001)):
        scaled = given.probabilities_NC ** (1 / t)
        losses = -np.log(scaled[rows, given.truth_N] / scaled.sum(1))
        if best is None or losses.mean() < best.mean():
            best = losses
    return best


def slow_interval(rows_N, folds, learned):
    mean, wide = rows_N.mean(), np.sqrt(1 + len(rows_N) / learned)
    means = [np.average(rows_N, weights=counts) for counts in folds.resamples_BU]
    low, high = np.clip(np.quantile(means, [0.025, 0.975]), rows_N.min(), rows_N.max())
    return mean + wide * (low - mean), mean + wide * (high - mean)


@pytest.mark.parametrize("seed", range(12))
def test_the_order_is_that_of_the_rule_done_by_brute_force(seed):
    random = np.random.default_rng(seed)
    shares = {f"m{i}": (random.uniform(0.5, 0.9), random.uniform(0.55, 0.95)) for i in range(4)}
    entrants = [
        scored(name, int(random.integers(1, 9)) * 100_000, random.uniform(0.75, 0.85)) for name in shares
    ]
    train = taught(**shares)
    assert names(held(entrants, train)) == by_hand(entrants, train, (100, 200))


def test_the_temperature_is_the_one_of_a_fine_grid_and_changes_no_answer():
    given = answers(0.7, sure=9.0)
    fast, slow = tempered_losses(given.truth_N, given.probabilities_NC), slow_losses(given)
    assert fast.mean() == pytest.approx(slow.mean(), abs=1e-5)
    raw = -np.log(given.probabilities_NC[np.arange(200), given.truth_N])
    assert fast.mean() < raw.mean() - 0.5, "it was far too sure"


def test_being_too_sure_is_no_reason_to_be_out():
    calm, sure = answers(0.8, sure=2.0, seed=1), answers(0.8, sure=12.0, seed=1)

    def train(candidate, lap, rows):
        return sure if candidate.name == "sure" else calm

    found = held([scored("calm"), scored("sure")], train)
    assert not any(entrant.out for entrant in found.entrants)


# Who is out, who goes on


def test_who_is_shown_to_be_worse_is_out_after_the_first_lap():
    train = taught(good=0.9, poor=0.5)
    found = held([scored("poor"), scored("good")], train)
    assert names(found) == ["good", "poor"]
    assert train.calls == [("poor", 1, 100), ("good", 1, 100)], "and the second lap is not run"
    (poor, good) = found.entrants
    assert poor.out == "after 100 rows shown to be behind good" and not good.out
    assert poor.laps[0].behind.low > 0 and good.laps[0].behind is None
    assert found.winner == good
    assert said(found, "hindsight") == [
        "the ranking had been wrong: poor, which it had first, is shown to be behind good"
    ]


def test_those_that_the_rows_cannot_tell_apart_learn_from_more():
    train = taught(one=(0.80, 0.95), two=(0.81, 0.6), three=0.4)
    found = held([scored(n) for n in ("one", "two", "three")], train)
    assert sorted(call for call in train.calls if call[1] == 2) == [("one", 2, 200), ("two", 2, 200)]
    assert names(found) == ["one", "two", "three"]
    assert any("cannot tell" in so and so.endswith("more rows") for so in said(found, "rows to learn from"))
    assert said(found, "hindsight")[0].startswith("the ranking had been right: one is before all others")


def test_a_training_is_one_of_many_so_that_few_rows_to_learn_from_widen_the_interval():
    judges, one = Judges(untrained(200)), scored("m")
    few, many = (ran(one, rows, answers(0.8)) for rows in (50, 5000))
    wide, narrow = (judges.measure("accuracy", r.hits_N, r.rows) for r in (few, many))
    assert wide.high - wide.low == pytest.approx(np.sqrt(5 / 1.04) * (narrow.high - narrow.low))


def test_rows_of_a_group_count_as_one():
    groups = np.arange(200) // 20
    free, grouped = (
        held([scored("a"), scored("b")], taught(a=0.9, b=0.75), groups_N=g) for g in (None, groups)
    )
    width = [f.entrants[1].laps[0].behind for f in (free, grouped)]
    assert (width[1].high - width[1].low) > 0 and width[1].low != width[0].low


# The end


def test_of_equals_the_smaller_is_taken_though_the_larger_was_first():
    found = held([scored("large", 9_000_000), scored("small", 1_000)], taught(large=0.8, small=0.8))
    assert names(found) == ["small", "large"]
    assert "it cannot tell the two apart" in said(found, "hindsight")[0]


def test_the_larger_is_kept_where_the_smaller_is_expected_to_cost_accuracy():
    small, large = scored("small", 1_000), scored("large", 9_000_000)

    def train(candidate, lap, rows):
        """Each with a luck of its own, so that the interval of the difference is wide."""
        return answers(0.87, shared=2) if candidate.name == "large" else answers(0.80, shared=3)

    found = held([small, large], train)
    assert not any(entrant.out for entrant in found.entrants), "the interval holds 0"
    assert names(found) == ["large", "small"]
    (why,) = said(found, "smallest that costs nothing")
    drawn = float(
        re.search(r"small is smaller, but expected to be (.*) points less right than large", why)[1]
    )
    assert 1 <= drawn < 7, "what was seen, drawn towards no difference"


def test_frozen_features_of_all_rows_speak_beside_a_race_of_few():
    train = taught(large=0.80, small=0.80)
    large, small = scored("large", 9_000_000, accuracy=0.84), scored("small", 1_000, accuracy=0.80)
    found = held([large, small], train)
    assert names(found) == ["large", "small"], "the race has them level"
    (why,) = said(found, "smallest that costs nothing")
    assert "small is smaller, but expected to be" in why
    less = scored("large", 9_000_000, accuracy=0.802)
    assert names(held([less, small], train)) == ["small", "large"]


def test_a_trifle_is_not_worth_a_larger_model():
    train = taught(large=0.805, small=0.80)
    assert names(held([scored("large", 9_000_000), scored("small", 1_000)], train)) == ["small", "large"]


def test_where_the_race_cannot_tell_the_scores_that_can_are_heard():
    large = scored("large", 9_000_000)
    small = scored("small", 1_000, behind=0.3)
    train = taught(large=0.8, small=0.8)

    def ahead(candidate, lap, rows):
        same = train(candidate, lap, rows)
        return same if candidate.name == "large" else replace(same, probabilities_NC=blurred(same))

    found = held([large, small], ahead)
    assert names(found) == ["large", "small"]
    assert "the scores show it to be behind large" in said(found, "smallest that costs nothing")[0]
    unsure = replace(small, behind=measure("logistic_probe", 0.03, 0.05))
    assert names(held([large, unsure], ahead)) == ["small", "large"], "scores that cannot tell are not"


def blurred(given):
    """The same answers, every fortieth of which is hardly one: a log-loss that is a trifle higher."""
    mixed = given.probabilities_NC.copy()
    mixed[::40] = 0.9 / CLASSES + 0.1 * mixed[::40]
    return mixed


# Failures


def test_what_cannot_be_trained_costs_a_line_and_its_place():
    broken = WarmstartError("its norms are not finite", "choose another model", "not-finite")
    found = held([scored("bad"), scored("a"), scored("b")], taught(bad=broken, a=0.9, b=0.4))
    assert names(found) == ["a", "b", "bad"]
    bad = found.entrants[0]
    assert bad.failed and bad.out == "its norms are not finite" and not bad.laps
    assert said(found, "not trained") == ["bad is out: it could not be trained; choose another model"]
    assert said(found, "hindsight") == ["bad, which the scores had first, could not be trained"]


def test_where_all_but_one_fail_that_one_has_won():
    broken = WarmstartError("no", "do", "x")
    train = taught(a=broken, b=0.5, c=broken)
    found = held([scored(n) for n in "abc"], train)
    assert names(found)[0] == "b" and found.winner.name == "b"
    assert max(lap for _, lap, _ in train.calls) == 1


def test_where_all_fail_nobody_has_won():
    broken = WarmstartError("no", "do", "x")
    found = held([scored("a"), scored("b")], taught(a=broken, b=broken))
    assert found.winner is None
    assert names(found) == ["a", "b"], "the order is that of the scores"
    assert not said(found, "hindsight")


def test_one_that_fails_in_its_second_lap_stands_before_those_that_were_out_earlier():
    def train(candidate, lap, rows):
        if candidate.name == "frail" and lap == 2:
            raise WarmstartError("no memory", "wait", "x")
        return answers({"frail": 0.81, "firm": 0.8, "poor": 0.4}[candidate.name], seed=len(candidate.name))

    found = held([scored(n) for n in ("poor", "frail", "firm")], train)
    assert names(found) == ["firm", "frail", "poor"]
    assert len(found.entrants[1].laps) == 1 and found.entrants[1].failed


# Entry


def test_the_first_few_enter_and_who_is_left_over_is_named():
    able, reasons = enter([scored(n) for n in "abcde"], 3)
    assert [one.candidate.name for one in able] == ["a", "b", "c"]
    assert [reason.so for reason in reasons] == ["not tried: d, e; --race 5 tries all"]


def test_who_is_far_behind_beyond_doubt_does_not_enter():
    first = scored("first", accuracy=0.9)
    far, near = scored("far", accuracy=0.7, behind=0.9), scored("near", accuracy=0.85, behind=0.3)
    unsure = scored("unsure", accuracy=0.7, behind=0.04, half=0.05)
    able, reasons = enter([first, near, unsure, far], 5)
    assert [one.candidate.name for one in able] == ["first", "near", "unsure"]
    assert [reason.so for reason in reasons] == ["far is not tried: beyond doubt behind, by more than 10%"]


def test_who_was_not_measured_does_not_enter():
    unmeasured = replace(scored("odd"), accuracy=Measure("accuracy", 0, 0, 0, 0, "not measured: all nan"))
    able, reasons = enter([scored("a"), unmeasured], 3)
    assert [one.candidate.name for one in able] == ["a"]
    assert reasons[0].saw == "odd: not measured: all nan"


def test_rankings_from_before_there_were_races_keep_nobody_out():
    old = [replace(scored(n, accuracy=a), behind=None) for n, a in (("a", 0.9), ("b", 0.5))]
    assert len(enter(old, 3)[0]) == 2
