"""Which strategies are tried: those that may turn out to be best and are not trained anyway, if it pays."""

import numpy as np
import pytest
from decide_facts import text
from hypothesis import given
from hypothesis import strategies as st

from warmstart.decide.expect import LIKENESS, updated
from warmstart.decide.pilots import DIFFER, FEWEST, FIXED, MOST, WORTH, improvement, judging, moved, which
from warmstart.decide.record import Belief, Record, Trend

RIVALS = ("full", "frozen", "scratch")
PRICES = {"full": 10.0, "frozen": 1.0, "gradual": 8.0, "lora": 8.0, "scratch": 40.0}


@pytest.fixture(autouse=True)
def telling(monkeypatch):
    """Fewer rows tell much of gradual and of LoRA. In the study they did not, and neither would be tried."""
    for name in ("gradual", "lora"):
        monkeypatch.setitem(LIKENESS, name, 0.8)


def flat(mean, spread):
    return Trend(at=mean, rows=0.0, similar=0.0, ahead=0.0, spread=spread)


def record(**beliefs):
    trends = {name: flat(*belief) for name, belief in beliefs.items()}
    return {"text": Record(trends, rows=(5.0, 200.0), parameters=30_000_000, cells=40)}


def facts(prices=PRICES, **changes):
    return text(efforts=dict(prices), **changes)


def effort(ask, given):
    """Some of a training is as dear with fewer rows."""
    part = FIXED + (1 - FIXED) * ask.rows / given.rows
    return sum(given.efforts[name] for name in ask.strategies) * part


@given(st.floats(-0.2, 0.2), st.floats(0.001, 0.3))
def test_the_expected_improvement_is_that_of_draws(mean, sd):
    draws = mean + sd * np.random.default_rng(0).standard_normal(200_000)
    assert improvement(mean, sd) == pytest.approx(np.maximum(draws, 0).mean(), abs=4 * sd / 400)


@pytest.mark.parametrize(("sd", "rows"), [(0.03, 60), (0.12, 60), (0.12, 2000)])
def test_a_belief_moves_by_a_trial_as_far_as_simulated_trials_move_it(sd, rows):
    """Differences at fewer rows go with those at all as LIKENESS says, and are seen with the rows' noise."""
    source = np.random.default_rng(0)
    given_ = facts(rows=rows)
    noise = np.sqrt(DIFFER / judging(given_))
    there_N = sd * source.standard_normal(20_000)
    seen_N = there_N + noise * source.standard_normal(20_000)
    belief = Belief(0.0, sd)
    after_N = np.array([updated(belief, belief, seen, noise, LIKENESS["frozen"]).mean for seen in seen_N])
    assert moved("frozen", sd, given_) == pytest.approx(after_N.std(), rel=0.03)
    assert moved("frozen", sd, given_) < LIKENESS["frozen"] * sd
    assert moved("partial", sd, given_) < moved("frozen", sd, given_)


def test_few_rows_that_judge_say_too_little_to_be_asked():
    known = record(gradual=(-0.005, 0.03))
    assert which(facts(rows=50), RIVALS, (), known).strategies == ()
    assert which(facts(rows=5000), RIVALS, (), known).strategies != ()


def test_what_cannot_become_the_best_is_not_tried():
    ask = which(facts(), RIVALS, (), record(frozen=(-0.2, 0.02), gradual=(-0.1, 0.01), scratch=(-0.3, 0.05)))
    assert ask.strategies == ()
    assert "none is tried" in ask.reason.so


def test_what_may_be_the_best_is_tried_beside_the_reference_the_most_hopeful_first():
    known = record(partial=(-0.3, 0.05), gradual=(-0.01, 0.03), lora=(-0.02, 0.15))
    ask = which(facts(), RIVALS, (), known)
    assert ask.strategies[:2] == ("full", "lora")
    assert "partial" not in ask.strategies


def test_what_is_trained_in_full_anyway_is_not_tried_first():
    known = record(frozen=(-0.01, 0.1), scratch=(-0.02, 0.15))
    ask = which(facts(), RIVALS, (), known)
    assert ask.strategies == ()
    assert "frozen and scratch are trained in full anyway" in ask.reason.saw
    short = facts({**PRICES, "frozen": 8.0}, seconds_left=60.0)
    assert "scratch" in which(short, RIVALS, (), known).strategies, "a budget may leave it out"
    frozen_first = which(facts(), RIVALS, (), record(frozen=(0.01, 0.1)))
    assert "full is trained in full anyway" in frozen_first.reason.saw


costs = st.floats(0.1, 100)


@given(costs, costs, costs, costs, st.floats(-0.1, 0.05), st.floats(0.01, 0.2))
def test_trials_never_cost_more_than_their_share_of_the_tuning(full, frozen, scratch, gradual, mean, spread):
    given_ = facts({"full": full, "frozen": frozen, "scratch": scratch, "gradual": gradual, "lora": full})
    ask = which(given_, RIVALS, (), record(gradual=(mean, spread), lora=(mean, spread)))
    assert effort(ask, given_) <= MOST * (full + frozen + scratch) + 1e-9
    assert ask.rows <= given_.rows / 2
    assert len(ask.strategies) != 1, "the reference alone says nothing"


def test_where_half_of_the_rows_are_too_dear_fewer_are_taken_then_the_least_hopeful_is_left_out():
    known = record(gradual=(0.0, 0.05), lora=(0.0, 0.02))

    def asked(**efforts):
        ask = which(facts(efforts), RIVALS, (), known)
        return set(ask.strategies), ask.rows

    assert asked(full=10.0, gradual=5.0, frozen=30.0, scratch=1.0, lora=1.0) == (
        {"full", "gradual", "lora"},
        176,
    )
    assert asked(full=10.0, gradual=8.0, frozen=0.0, scratch=20.0, lora=20.0) == ({"full", "gradual"}, 88)
    assert asked(full=10.0, gradual=8.0, frozen=0.0, scratch=11.0, lora=20.0) == ({"full", "gradual"}, 44)


def test_too_few_rows_to_judge_on_are_no_pilots():
    known = record(gradual=(0.0, 0.1))
    assert which(facts(rows=2 * FEWEST - 2), RIVALS, (), known).strategies == ()
    assert which(facts(rows=2 * FEWEST), RIVALS, (), known).strategies != ()


def test_beyond_the_record_those_that_suit_are_tried():
    beyond = facts(median_per_class=5000.0, rows=20_000)
    assert set(which(beyond, RIVALS, ("full", "gradual"), record()).strategies) == {"full", "gradual"}
    assert which(beyond, RIVALS, ("full",), record()).strategies == ()


def test_one_that_is_expected_to_beat_the_reference_is_tried_too():
    ask = which(facts(), RIVALS, (), record(gradual=(0.02, 0.05), partial=(-0.3, 0.01)))
    assert set(ask.strategies) == {"full", "gradual"}
    assert "gain on gradual" in ask.reason.saw


def test_what_no_effort_is_known_of_cannot_be_tried():
    known = record(partial=(0.05, 0.1))
    assert which(facts(), RIVALS, (), known).strategies == ()


def test_the_reason_names_every_hope_and_the_price():
    ask = which(facts(), RIVALS, (), record(gradual=(0.0, 0.05)))
    assert f"{100 * improvement(0.0, moved('gradual', 0.05, facts())):.2f}" in ask.reason.saw
    assert f"{100 * WORTH:.1f} points is tried" in ask.reason.rule
