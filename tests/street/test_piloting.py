"""Before the plan: prices, trials of what may be best, and a folder that says all of it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from street_world import image_model, reviews, text_model, write_csv, write_shapes
from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_json
from warmstart.base.tables import checked
from warmstart.base.types import Cost, Facts
from warmstart.decide import pilots
from warmstart.decide.choose import SAFETY
from warmstart.decide.plan_file import read_plan
from warmstart.street.budget import affordable, seconds_of
from warmstart.street.charting import PER_CLASS, SIMILARITIES, chart

QUICK = {"baseline": False}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Pictures that a tiny network of random weights can be tuned on."""
    folder = tmp_path_factory.mktemp("piloting")
    write_shapes(folder / "shapes", each=40)
    image_model(folder / "model")
    write_csv(folder / "rows.csv", reviews(40))
    text_model(folder / "text-model")
    return folder


@pytest.fixture(scope="module")
def planned(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pilots, "WORTH", 0.0)  # so few rows say little; here they are asked all the same
        patch.setattr(pilots, "MOST", 1.0)  # of so small a network
        _, folder = process.plan(
            place / "shapes", runs=place / "runs", models=(str(place / "model"),), **QUICK
        )
    return folder


def facts_in(folder) -> Facts:
    return checked(Facts, read_json(folder / "facts.json")["facts"], "facts")


def test_prices_are_known_of_all_that_can_be_done_and_reasons_of_what_cannot(planned):
    facts = facts_in(planned)
    assert set(facts.prices) == {"frozen", "partial", "gradual", "full", "scratch"}
    assert all(price.seconds > 0 for price in facts.prices.values())
    assert "no linear layers" in facts.cannot["lora"]
    assert facts.asked is not None


def test_trials_learn_from_a_part_and_are_judged_on_the_same_other_rows(planned):
    facts = facts_in(planned)
    assert facts.pilots, facts.asked
    assert facts.pilots[0].strategy == "full"
    assert {p.accuracy.n for p in facts.pilots} == {round(facts.rows / 2)}
    assert all(p.rows <= facts.rows / 2 for p in facts.pilots)
    for pilot in facts.pilots[1:]:
        told = {}
        for name in ("full", pilot.strategy):
            with np.load(planned / "trials" / f"pilot-{name}" / "predictions.npz") as arrays:
                told[name] = arrays["judged.probs"].argmax(1) == arrays["judged.truth"]
        assert pilot.accuracy.value == told[pilot.strategy].mean()
        difference = told[pilot.strategy].mean() - told["full"].mean()
        assert pilot.ahead.value == pytest.approx(difference)
        assert pilot.ahead.low <= difference <= pilot.ahead.high


def test_every_number_of_a_reason_of_the_strategy_is_in_the_facts(planned):
    from warmstart.decide.choose import choose
    from warmstart.decide.expect import expected

    facts = facts_in(planned)
    known = [v for m in expected(facts).values() for v in (m.value, m.low, m.high)]
    known += [v for p in facts.pilots if p.ahead for v in (p.ahead.value, p.ahead.low, p.ahead.high)]
    known += [p.accuracy.n / 100 for p in facts.pilots]
    shown = {f"{100 * v:+.1f}".lstrip("+") for v in known} | {f"{100 * v:.0f}" for v in known}
    for option in choose(facts, "m")[1]:
        if option.strategy in expected(facts):
            for number in re.findall(r"-?\d+(?:\.\d+)?", option.reason.saw):
                assert number in shown or f"-{number}" in shown, (number, option.reason.saw)


def test_what_lies_in_the_folder_is_not_tried_again(planned, monkeypatch):
    before = (planned / "facts.json").stat().st_mtime_ns
    plan = read_plan(planned / "plan.yaml")
    monkeypatch.setattr("warmstart.street.trials.tune", None)
    assert replace(process.plan(planned)[0], reasons=()) == plan
    assert (planned / "facts.json").stat().st_mtime_ns == before


def test_nothing_is_tried_where_a_strategy_is_asked_for_or_pilots_are_not_wanted(place):
    for asked in ({"strategy": "partial"}, {"settings": (), "pilots": False}):
        models = (str(place / "model"),)
        _, folder = process.plan(place / "shapes", runs=place / "off", models=models, **asked, **QUICK)
        assert facts_in(folder).pilots == ()
        assert facts_in(folder).prices == {}
        assert not (folder / "trials").exists()


def test_too_few_rows_are_not_tried_on(place):
    models = (str(place / "text-model"),)
    _, folder = process.plan(place / "rows.csv", runs=place / "few", models=models, **QUICK)
    assert facts_in(folder).pilots == ()


def test_a_budget_leaves_out_rivals_that_it_cannot_pay_and_says_so(place):
    models = (str(place / "model"),)
    result = process.run(place / "shapes", runs=place / "poor", models=models, budget="1s", **QUICK)
    assert "scratch" not in result.runs
    left_out = [f for f in result.findings if f.check == "budget"]
    assert any("scratch would take" in f.what for f in left_out)
    assert "--budget 1s" in result.reproduce.command
    assert result.plan.strategy == "frozen", "the cheapest"


@pytest.mark.parametrize(("budget", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400), (" 2m ", 120)])
def test_a_budget_is_read_in_its_unit(budget, seconds):
    assert seconds_of(budget) == seconds


@pytest.mark.parametrize("budget", ["10", "0m", "ten minutes", "-5m", "5 m", "1e3s", "nan"])
def test_a_budget_that_cannot_be_read_is_refused_before_anything_is_done(place, budget):
    with pytest.raises(WarmstartError, match="--budget"):
        process.run(place / "shapes", runs=place / "bad", models=(str(place / "model"),), budget=budget)
    assert not (place / "bad").exists()


def test_a_budget_keeps_the_plan_and_the_cheapest_rivals(planned):
    facts = replace(
        facts_in(planned),
        prices={"full": Cost(10.0, 0), "frozen": Cost(1.0, 0), "scratch": Cost(20.0, 0)},
        seconds_left=SAFETY * 12,
    )
    plan = read_plan(planned / "plan.yaml")
    plans = {name: replace(plan, strategy=name) for name in ("full", "frozen", "scratch")}
    kept, findings = affordable(plans, facts, "full", seeds=1)
    assert list(kept) == ["full", "frozen"]
    assert len(findings) == 1
    assert list(affordable(plans, facts, "full", seeds=2)[0]) == ["full"]
    assert affordable(plans, replace(facts, seconds_left=None), "full", seeds=9) == (plans, ())


def test_the_chart_has_a_choice_everywhere_and_knows_where_it_stands(planned):
    facts = facts_in(planned)
    found = chart(facts, "m")
    assert [len(line) for line in found.strategies] == [len(PER_CLASS)] * len(SIMILARITIES)
    assert found.here == (facts.median_per_class, facts.similarity)
    assert "lora" not in {name for line in found.strategies for name in line}, "this model cannot bear it"
    assert chart(replace(facts, measured=False), "m") is None
    assert json.dumps(found.strategies)
