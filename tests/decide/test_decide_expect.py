"""What is expected of a strategy: the record's line, and a trial that corrects it as one Gaussian another."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from decide_facts import TEXT, text
from hypothesis import given
from hypothesis import strategies as st

from warmstart.base.types import Measure, Pilot
from warmstart.decide.expect import LIKENESS, OTHERS, UNKNOWN, Z, expected, fewer, updated
from warmstart.decide.record import RECORDS, REFERENCE, Belief, Record, Trend, beliefs, within

LINE = Trend(at=-0.04, rows=0.02, similar=0.1, ahead=0.5, spread=0.05)
RECORD = {"text": Record({"frozen": LINE}, rows=(5.0, 200.0), parameters=30_000_000, cells=40)}


def pilot(strategy, value=0.0, error=0.05, rows=88, judged=176):
    accuracy = Measure("accuracy", 0.7, 0.6, 0.8, judged)
    if strategy == REFERENCE:
        return Pilot(strategy, rows, accuracy, None, 1.0)
    ahead = Measure("accuracy beside full", value, value - Z * error, value + Z * error, judged)
    return Pilot(strategy, rows, accuracy, ahead, 1.0)


def conditioned(
    before: Belief, there: Belief, seen: float, noise: float, alike: float
) -> tuple[float, float]:
    """The same by the covariance of (at all rows, seen at fewer)."""
    cross = alike * before.sd * there.sd
    covariance = np.array([[before.sd**2, cross], [cross, there.sd**2 + noise**2]])
    gain = covariance[0, 1] / covariance[1, 1]
    return before.mean + gain * (seen - there.mean), sqrt(covariance[0, 0] - gain * covariance[1, 0])


spreads = st.floats(0.001, 0.3)


@given(
    st.floats(-0.3, 0.3),
    spreads,
    st.floats(-0.3, 0.3),
    spreads,
    st.floats(-1, 1),
    st.floats(0.001, 0.5),
    st.floats(0, 1),
)
def test_a_trial_corrects_the_record_as_one_gaussian_does_another(
    mean, sd, mean_there, sd_there, seen, noise, alike
):
    before, there = Belief(mean, sd), Belief(mean_there, sd_there)
    after = updated(before, there, seen, noise, alike)
    wanted = conditioned(before, there, seen, noise, alike)
    assert (after.mean, after.sd) == pytest.approx(wanted, abs=1e-9)
    assert after.sd <= before.sd + 1e-12


def test_the_line_is_taken_at_the_facts():
    facts = text(median_per_class=100.0, probe=0.86, floor=0.3, baseline=0.8)
    mean = -0.04 + 0.02 * 1 + 0.1 * (0.8 - 0.5) + 0.5 * (0.86 - 0.8)
    assert beliefs(facts, RECORD)["frozen"].mean == pytest.approx(mean)
    assert beliefs(replace(facts, baseline=None), RECORD)["frozen"].mean == pytest.approx(mean - 0.03)


def test_the_reference_is_expected_where_it_is():
    known = expected(replace(TEXT, pilots=(pilot("full"), pilot("frozen", -0.1))), RECORD)
    assert (known["full"].value, known["full"].low, known["full"].high) == (0, 0, 0)


def test_a_trial_moves_what_is_expected_towards_what_it_saw_and_a_surer_one_further():
    facts = replace(TEXT, baseline=None)
    before = expected(facts, RECORD)["frozen"].value
    moved = [
        expected(replace(facts, pilots=(pilot("full"), pilot("frozen", 0.2, error))), RECORD)["frozen"].value
        for error in (0.3, 0.1, 0.02)
    ]
    assert before < moved[0] < moved[1] < moved[2] < 0.2


def test_a_trial_on_fewer_rows_is_held_against_what_was_expected_there():
    facts = replace(TEXT, baseline=None)
    there = beliefs(fewer(facts, 88), RECORD)["frozen"].mean
    tried = replace(facts, pilots=(pilot("full"), pilot("frozen", there)))
    assert expected(tried, RECORD)["frozen"].value == pytest.approx(expected(facts, RECORD)["frozen"].value)


def test_beyond_what_was_studied_only_trials_speak():
    assert within(TEXT, RECORD)
    for beyond in (text(median_per_class=401.0), text(median_per_class=2.4), text(parameters=60_000_001)):
        assert expected(beyond, RECORD) == {}
        known = expected(replace(beyond, pilots=(pilot("full"), pilot("lora", 0.1, 0.01))), RECORD)
        wanted = conditioned(UNKNOWN, UNKNOWN, 0.1, 0.01, OTHERS)[0]
        assert known["lora"].value == pytest.approx(wanted)
        assert set(known) == {"full", "lora"}
    assert expected(replace(TEXT, measured=False), RECORD) == {}
    assert expected(replace(TEXT, modality="sound"), RECORD) == {}


def test_fewer_rows_tell_more_of_frozen_features_than_of_another_way_to_move_weights():
    lines = {"text": replace(RECORD["text"], trends={"frozen": LINE, "gradual": LINE})}
    before = expected(TEXT, lines)
    after = expected(
        replace(TEXT, pilots=(pilot("full"), pilot("frozen", 0.2), pilot("gradual", 0.2))), lines
    )
    frozen, gradual = (after[name].value - before[name].value for name in ("frozen", "gradual"))
    assert frozen == pytest.approx(LIKENESS["frozen"] / OTHERS * gradual)


def test_the_published_record_speaks_of_strategies_that_exist():
    from warmstart.decide.strategies import STRATEGIES

    for record in RECORDS.values():
        assert set(record.trends) <= set(STRATEGIES.names()) - {REFERENCE}
        assert all(0 < trend.spread < 1 for trend in record.trends.values())
        assert record.cells > 0
