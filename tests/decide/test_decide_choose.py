"""The prior's table, cell by cell; measurements that outrank it; what every plan holds."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from decide_facts import IMAGE, TEXT, image, text
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Cost, Facts, Reason
from warmstart.decide.choose import SAFETY, TIE, choose, consider, cost, plan_for
from warmstart.decide.record import Record, Trend
from warmstart.decide.strategies import STRATEGIES

SIMILAR, DISTANT = 0.86, 0.6  # probe accuracies that are 0.80 and 0.43 of the way from the floor of 0.3
CELLS = {
    # rows per class: the choice on similar data, on distant data
    1: ("frozen", "partial"),
    9.5: ("frozen", "partial"),
    10: ("full", "full"),
    99: ("full", "full"),
    100: ("full", "full"),
    1000: ("full", "full"),
    1001: ("full", "full"),
    30_000: ("full", "full"),
}


def chosen(facts: Facts) -> str:
    """By the table alone."""
    return choose(facts, "m", records={})[0].strategy


@pytest.mark.parametrize("base", [TEXT, IMAGE], ids=["text", "image"])
@pytest.mark.parametrize("per_class", CELLS)
def test_every_cell_of_the_table_has_its_choice(per_class, base):
    for probe, wanted in zip((SIMILAR, DISTANT), CELLS[per_class], strict=True):
        assert chosen(replace(base, median_per_class=per_class, probe=probe)) == wanted


def test_similar_begins_at_seven_tenths_of_the_way_from_floor_to_perfect():
    few = text(median_per_class=5, floor=0.0)
    assert chosen(replace(few, probe=0.7)) == "frozen"
    assert chosen(replace(few, probe=0.699)) == "partial"


def test_a_large_model_gets_adapters_where_rows_are_plenty():
    assert chosen(text(median_per_class=1001, parameters=300_000_001)) == "lora"
    assert chosen(text(median_per_class=1001, parameters=300_000_000)) == "full"
    assert chosen(text(median_per_class=1000, parameters=300_000_001)) == "full"


@pytest.mark.parametrize("probe", [SIMILAR, DISTANT])
def test_gradual_is_second_to_full_on_distant_data_with_few_rows(probe):
    options = consider(text(median_per_class=30, probe=probe))
    assert [o.strategy for o in options[:2]] == ["full", "gradual"]
    assert (options[0].suits - options[1].suits < 0.05) == (probe == DISTANT)


@pytest.mark.parametrize("per_class", CELLS)
def test_without_a_model_only_scratch_is_left(per_class):
    plan, options = choose(text(pretrained=False, median_per_class=per_class), None)
    assert (plan.strategy, plan.pretrained, plan.model) == ("scratch", False, None)
    assert {o.suits for o in options[1:]} == {0.0}


def test_scratch_needs_useless_features_and_fifty_thousand_rows():
    useless = text(rows=50_000, median_per_class=12_500, probe=0.3)
    assert chosen(useless) == "scratch"
    assert chosen(replace(useless, rows=49_999)) != "scratch"
    assert chosen(replace(useless, probe=0.301)) != "scratch"


any_facts = st.builds(
    text,
    rows=st.integers(2, 10**6),
    median_per_class=st.floats(0, 1e6),
    floor=st.floats(0, 1),
    probe=st.floats(0, 1),
    parameters=st.integers(0, 10**10),
    pretrained=st.booleans(),
)


@given(any_facts)
def test_every_strategy_answers_within_0_and_1_and_the_best_is_first(facts):
    options = consider(facts)
    assert sorted(o.strategy for o in options) == STRATEGIES.names()
    assert all(0 <= o.suits <= 1 for o in options)
    order = [(-o.suits, cost(o.strategy)) for o in options]
    assert order == sorted(order)


def test_reasons_carry_the_numbers_they_saw():
    for option in consider(text(rows=352, median_per_class=85.0, probe=0.861, floor=0.313)):
        for number in ("352", "0.861", "0.313"):
            assert number in option.reason.saw, option


def test_costs_differ_so_that_ties_are_decided():
    ranks = [cost(name) for name in STRATEGIES.names()]
    assert len(set(ranks)) == len(ranks)
    assert min(STRATEGIES.names(), key=cost) == "frozen"


def known(**beliefs):
    trends = {name: Trend(mean, 0.0, 0.0, 0.0, spread) for name, (mean, spread) in beliefs.items()}
    return {"text": Record(trends, rows=(1.0, 1000.0), parameters=30_000_000, cells=40)}


def test_the_record_outranks_the_table():
    plan, options = choose(TEXT, "m", records=known(gradual=(0.05, 0.02), frozen=(-0.1, 0.02)))
    assert (consider(TEXT)[0].strategy, plan.strategy) == ("full", "gradual")
    assert [o.strategy for o in options[:3]] == ["gradual", "full", "frozen"]
    assert "gradual +5.0 [+1.1, +8.9]" in plan.reasons[0].saw


def test_what_is_within_a_tie_of_the_highest_goes_to_the_cheaper():
    plan, options = choose(TEXT, "m", records=known(gradual=(-TIE / 2, 0.02), frozen=(-2 * TIE, 0.02)))
    assert plan.strategy == "gradual"
    assert [o.strategy for o in options[:3]] == ["gradual", "full", "frozen"]
    assert "cheaper" in options[0].reason.so


@given(
    st.dictionaries(st.sampled_from(STRATEGIES.names()), st.tuples(st.floats(-1, 1), st.floats(0.001, 0.3)))
)
def test_no_cheaper_strategy_is_within_a_tie_of_the_highest(beliefs):
    beliefs.pop("full", None)
    means = {"full": 0.0} | {name: mean for name, (mean, _) in beliefs.items()}
    winner = choose(TEXT, "m", records=known(**beliefs))[0].strategy
    tied = {name for name, mean in means.items() if mean >= max(means.values()) - TIE}
    assert winner in tied
    assert cost(winner) == min(map(cost, tied))


@given(
    st.dictionaries(
        st.sampled_from(["frozen", "partial", "gradual", "scratch"]),
        st.tuples(st.floats(-0.1, 0.1), st.floats(0.01, 0.2)),
        min_size=1,
    )
)
@settings(max_examples=20)
def test_the_chance_of_each_is_that_of_draws(beliefs):
    options = choose(TEXT, "m", records=known(**beliefs))[1]
    means = np.array([0.0, *(mean for mean, _ in beliefs.values())])
    sds = np.array([0.0, *(sd for _, sd in beliefs.values())])
    draws = means + sds * np.random.default_rng(0).standard_normal((100_000, len(means)))
    shares = (draws >= draws.max(1, keepdims=True) - TIE).mean(0)
    found = {o.strategy: o.suits for o in options}
    for name, share in zip(("full", *beliefs), shares, strict=True):
        assert found[name] == pytest.approx(share, abs=0.02)


def test_what_the_model_cannot_bear_is_never_chosen():
    facts = replace(TEXT, cannot={"gradual": "it has no layers"})
    plan, options = choose(facts, "m", records=known(gradual=(0.3, 0.02)))
    assert plan.strategy == "full"
    left_out = next(o for o in options if o.strategy == "gradual")
    assert (left_out.suits, left_out.reason.saw) == (0.0, "it has no layers")


def test_a_budget_takes_the_best_that_it_bears():
    prices = {"full": Cost(100.0, 0), "gradual": Cost(80.0, 0), "frozen": Cost(1.0, 0)}
    records = known(gradual=(-0.05, 0.02), frozen=(-0.1, 0.02))

    def chosen_with(left):
        return choose(replace(TEXT, prices=prices, seconds_left=left), "m", records=records)[0]

    assert chosen_with(None).strategy == "full"
    assert chosen_with(SAFETY * 100 + 1).strategy == "full"
    assert chosen_with(SAFETY * 80 + 1).strategy == "gradual"
    assert chosen_with(SAFETY * 80 - 1).strategy == "frozen"
    assert "none can be paid" in chosen_with(0.5).reasons[0].so
    assert chosen_with(0.5).strategy == "frozen"


def test_an_unknown_strategy_is_refused_with_the_nearest():
    with pytest.raises(WarmstartError, match="did you mean 'gradual'"):
        plan_for("gradul", TEXT, "m")


@pytest.mark.parametrize("strategy", STRATEGIES.names())
def test_every_plan_is_complete_and_guarded_alike(strategy):
    plan = plan_for(strategy, text(batch=8), "models/m", seed=3, reasons=[Reason("model: best", "1", "2")])
    assert (plan.strategy, plan.model, plan.task) == (strategy, "models/m", TEXT.task)
    assert (plan.batch, plan.seed, plan.mode) == (8, 3, "supervised")
    patience = 10 if strategy == "scratch" else 5
    assert plan.guards == ({"name": "early_stop", "patience": patience, "sure": 2.0},)
    assert plan.pretrained == (strategy != "scratch")
    assert plan.reasons[0].rule == "model: best"
    assert any(r.rule.startswith("strategy: ") for r in plan.reasons)


@pytest.mark.parametrize(
    ("strategy", "rows", "batch", "wanted"),
    [
        ("full", 999, 32, "frozen"),
        ("full", 1000, 16, "learn"),
        ("full", 1000, 15, "frozen"),
        ("frozen", 352, 16, "frozen"),
        ("scratch", 352, 8, "learn"),
        ("scratch", 60_000, 64, "learn"),
    ],
)
def test_norm_statistics_are_learned_only_where_batches_and_rows_can_carry_them(
    strategy, rows, batch, wanted
):
    plan = plan_for(strategy, image(rows=rows, batch=batch), "m")
    assert plan.norm_statistics == wanted
    assert any(r.rule.startswith("norm_statistics: ") for r in plan.reasons)
    assert not any(
        r.rule.startswith("norm_statistics: ")
        for r in plan_for(strategy, text(rows=rows, batch=batch), "m").reasons
    )


def test_deciding_imports_neither_torch_nor_numpy():
    code = (
        "import sys, warmstart.decide.choose as c, warmstart.decide.plan_file\n"
        "[c.STRATEGIES.get(n) for n in c.STRATEGIES.names()]\n"
        "print([m for m in ('torch', 'numpy', 'transformers', 'peft', 'ruamel.yaml') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


@pytest.mark.parametrize("base", [TEXT, IMAGE], ids=["text", "image"])
def test_a_planned_scratch_waits_for_half_of_its_epochs_as_the_rival_does(base):
    plan = plan_for("scratch", base, "m")
    patience = plan.phases[0].epochs // 2
    assert plan.guards == ({"name": "early_stop", "patience": patience, "sure": 2.0},)
    assert plan_for("full", base, "m").guards == ({"name": "early_stop", "patience": 5, "sure": 2.0},)
