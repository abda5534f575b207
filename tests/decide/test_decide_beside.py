"""A reason to doubt every plan: frozen features that are not shown to beat what needs no network."""

import pytest
from decide_facts import text

from warmstart.base.types import Measure
from warmstart.decide.choose import plan_for

RULE = "baseline: frozen features beside no network"


def reasons(low, high=0.3, baseline=0.85):
    lead = Measure("log-likelihood", 0.1, low, high, 352)
    plan = plan_for("full", text(baseline=baseline, lead=lead), "m")
    return [r for r in plan.reasons if r.rule == RULE]


def test_it_stands_in_the_plan_with_its_numbers():
    (reason,) = reasons(-0.1)
    assert reason.saw == (
        "probe 0.860, without a network 0.850; difference in log-likelihood +0.100 [-0.100, +0.300]"
    )


@pytest.mark.parametrize("facts", [{"low": 0.05}, {"low": -0.1, "baseline": None}])
def test_it_does_not_where_they_beat_it_or_it_is_not_known(facts):
    assert not reasons(**facts)
