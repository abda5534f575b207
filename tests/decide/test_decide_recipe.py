"""Rates, lengths, phases and edits of the strategies, against the rules spelled out by other means."""

from dataclasses import replace
from math import ceil

import pytest
from decide_facts import IMAGE, LAYERS, TEXT, depths, image, text
from hypothesis import given
from hypothesis import strategies as st

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Phase
from warmstart.decide.strategies import STRATEGIES
from warmstart.decide.strategies._depth import best_depth
from warmstart.decide.strategies._recipe import epochs, rate

NEW_HEAD = {"name": "new_head"}
MEAN = {"name": "mean_pool"}


def phases(strategy, facts, **settings):
    return STRATEGIES.build({"name": strategy, **settings}).phases(facts)


def tuning(strategy, facts, **settings):
    """The phases in which the body learns."""
    return [p for p in phases(strategy, facts, **settings) if p.learn != ("head",)]


def edits(strategy, facts):
    return STRATEGIES.get(strategy)().edits(facts)


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (text(parameters=110_000_000), 2e-5),
        (text(parameters=22_700_000), 3.8e-5),  # 2e-5 * (110 / 22.7) ** 0.4 = 3.7597e-5
        (text(parameters=4_400_000), 7.2e-5),  # 2e-5 * 25 ** 0.4 = 7.2478e-5
        (text(parameters=10**10), 1e-5),
        (text(parameters=1), 1e-3),
        (image(parameters=25_000_000), 1e-4),
        (image(parameters=86_000_000), 6.1e-5),  # 1e-4 * (25 / 86) ** 0.4 = 6.101e-5
        (image(parameters=10**10), 3e-5),
        (image(parameters=0), 1e-3),
    ],
)
def test_the_rate_falls_with_the_size_of_the_model_within_bounds(facts, wanted):
    assert rate(facts) == wanted
    assert [p.lr for p in tuning("full", facts)] == [wanted]


@pytest.mark.parametrize(
    ("rows", "batch", "wanted"),
    [
        (320, 16, 20),  # 20 steps an epoch
        (321, 16, 20),  # 21 steps an epoch: 19.05 epochs
        (352, 16, 19),
        (40, 16, 20),  # 3 steps an epoch would need 134 epochs
        (2128, 16, 4),  # 133 steps an epoch: 3.008 epochs
        (2144, 16, 3),
        (10**6, 16, 3),
        (1, 64, 20),
    ],
)
def test_epochs_give_400_steps_within_3_and_20_epochs(rows, batch, wanted):
    assert epochs(text(rows=rows, batch=batch)) == wanted


def test_a_linear_head_is_solved_and_any_other_is_trained():
    assert phases("frozen", TEXT) == (Phase(("head",), lr=1e-3, epochs=1, solver="logistic"),)
    assert phases("frozen", text(head_is_linear=False)) == (Phase(("head",), lr=1e-3, epochs=30),)


@pytest.mark.parametrize("strategy", ["full", "partial", "gradual", "lora"])
def test_tuning_begins_with_the_best_head_and_one_that_leaves_the_body_something_to_learn(strategy):
    best, gentle, *rest = phases(strategy, TEXT)
    assert (best,) == phases("frozen", TEXT)
    assert 0 < gentle.leave < 1
    assert replace(gentle, leave=0.0) == best
    assert rest == tuning(strategy, TEXT)


@pytest.mark.parametrize("strategy", ["full", "partial", "gradual", "lora"])
def test_a_head_that_cannot_be_solved_is_trained_shortly_before_the_body(strategy):
    facts = text(head_is_linear=False)
    first, *rest = phases(strategy, facts)
    assert first == replace(phases("frozen", facts)[0], epochs=3)
    assert rest == tuning(strategy, facts)


@pytest.mark.parametrize(("facts", "decay"), [(TEXT, 0.95), (IMAGE, 0.9)])
def test_full_tuning_slows_towards_the_input(facts, decay):
    (every,) = tuning("full", facts)
    assert every == Phase(("*",), lr=rate(facts), epochs=19, decay=decay)


def test_partial_tuning_moves_a_third_of_the_body_or_what_is_asked():
    assert tuning("partial", TEXT)[0].learn == ("top:3",)  # of 8 groups
    assert tuning("partial", IMAGE)[0].learn == ("top:4",)  # of 11
    assert tuning("partial", TEXT, top=2)[0].learn == ("top:2",)
    with pytest.raises(WarmstartError, match="top = -1"):
        phases("partial", TEXT, top=-1)


@given(rows=st.integers(1, 10**5), body=st.integers(1, 60))
def test_gradual_tuning_opens_the_body_from_the_top_in_the_epochs_of_full(rows, body):
    facts = image(rows=rows, groups=(*(f"block.{i}" for i in range(body)), "head"))
    steps, (full,) = tuning("gradual", facts), tuning("full", facts)
    assert 1 <= len(steps) <= 4
    assert sum(p.epochs for p in steps) == full.epochs
    assert all(p.epochs >= 1 and (p.lr, p.decay) == (full.lr, full.decay) for p in steps)
    opened = [body if p.learn == ("*",) else int(p.learn[0].removeprefix("top:")) for p in steps]
    shares = [b - a for a, b in zip([0, *opened], opened, strict=False)]
    assert opened[-1] == body
    assert steps[-1].learn == ("*",)
    assert max(shares) - min(shares) <= 1


def test_adapters_learn_ten_times_faster_and_evenly():
    (full,), (every,) = tuning("full", TEXT), tuning("lora", TEXT)
    assert every.lr == pytest.approx(10 * full.lr)
    assert (every.decay, every.learn, every.epochs) == (1.0, ("*",), full.epochs)


@given(st.integers(1, 10**6))
def test_scratch_has_twice_the_steps_of_full(rows):
    facts = text(rows=rows)
    (every,) = phases("scratch", facts)
    assert every.epochs == min(40, 2 * tuning("full", facts)[0].epochs)
    assert (every.learn, every.schedule, every.warmup, every.weight_decay) == (("*",), "cosine", 0.1, 0.05)


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (image(parameters=10**9), 1e-3),
        (text(parameters=22_000_000), 2e-4),
        (text(parameters=110_000_000), 1.2e-4),  # 2e-4 * 0.2 ** 0.3 = 1.234e-4
        (text(parameters=10**12), 1e-4),
        (text(parameters=1000), 1e-3),
    ],
)
def test_scratch_has_rates_of_its_own(facts, wanted):
    assert phases("scratch", facts)[0].lr == wanted


RISING = depths(0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, pooler=0.70)
HUMP = depths(0.50, 0.60, 0.70, 0.80, 0.75, 0.74, 0.73, pooler=0.70)


def test_frozen_features_are_read_at_their_best_depth():
    assert edits("frozen", text(depths=RISING)) == (MEAN, NEW_HEAD)
    assert edits("frozen", text(depths=HUMP)) == ({"name": "drop_layers", "keep": 3}, MEAN, NEW_HEAD)
    best_pooler = {**HUMP, "pooler": 0.9}
    assert edits("frozen", text(depths=best_pooler)) == (NEW_HEAD,)
    best_embeddings = {**HUMP, "embeddings": 0.9}
    assert edits("frozen", text(depths=best_embeddings)) == (
        {"name": "drop_layers", "keep": 1},
        MEAN,
        NEW_HEAD,
    )


def test_a_whisker_is_worth_fewer_layers_but_not_an_edit():
    assert best_depth(text(depths={**HUMP, "layer.1": 0.7961})) == 1  # of 0.80, half a per cent is 0.004
    assert best_depth(text(depths={**HUMP, "layer.1": 0.7959})) == 2
    assert edits("frozen", text(depths={**RISING, "pooler": 0.7965})) == (NEW_HEAD,)


def test_a_cut_that_saves_no_layer_gives_way_to_the_pooled_output():
    late = depths(0.5, 0.5, 0.5, 0.5, 0.5, 0.80, 0.80, pooler=0.80)  # five layers and the mean are six
    assert edits("frozen", text(depths=late)) == (NEW_HEAD,)
    assert edits("frozen", text(depths={**late, "pooler": 0.7})) == (
        {"name": "drop_layers", "keep": 5},
        MEAN,
        NEW_HEAD,
    )
    assert edits("frozen", text(depths={**late, "layer.3": 0.80}))[0] == {"name": "drop_layers", "keep": 4}


def test_scores_below_zero_have_whiskers_too():
    losses = depths(-0.9, -0.8, -0.6, -0.4019, -0.40, -0.5, -0.5, pooler=-0.7)
    assert best_depth(text(depths=losses)) == 2
    assert best_depth(text(depths={**losses, "layer.2": -0.4021})) == 3


def test_a_model_that_cannot_be_cut_is_read_at_its_top():
    assert edits("frozen", text(depths=HUMP, can_cut=False)) == (MEAN, NEW_HEAD)
    assert edits("frozen", text(depths={**HUMP, "pooler": 0.74}, can_cut=False)) == (NEW_HEAD,)


@given(st.lists(st.floats(-2, 1), min_size=8, max_size=8), st.booleans())
def test_the_depth_is_the_shallowest_within_a_whisker_of_the_best(scores, can_cut):
    names = ["embeddings", *LAYERS, "pooler"]
    table = dict(zip(names, scores, strict=True))
    allowed = names if can_cut else names[-2:]
    best = max(table[n] for n in allowed)
    first = next(n for n in allowed if table[n] >= best - 0.005 * abs(best))
    pooler_near = table["pooler"] >= best - 0.005 * abs(best)
    needs_nothing = first == "pooler" or (first in LAYERS[-2:] and pooler_near)
    wanted = None if needs_nothing else max(0, names.index(first) - 1)
    assert best_depth(text(depths=table, can_cut=can_cut)) == wanted


@pytest.mark.parametrize("strategy", ["full", "partial", "gradual"])
def test_tuning_keeps_all_layers_and_averages_where_that_is_better(strategy):
    assert edits(strategy, text(depths=HUMP)) == (MEAN, NEW_HEAD)
    assert edits(strategy, text(depths={**HUMP, "pooler": 0.73})) == (NEW_HEAD,)


def test_adapters_come_last():
    adapters = {"name": "lora", "rank": 16, "alpha": 32}
    assert edits("lora", text(depths=HUMP)) == (MEAN, NEW_HEAD, adapters)


@pytest.mark.parametrize("strategy", STRATEGIES.names())
def test_without_depths_or_pooling_the_architecture_is_left_alone(strategy):
    for facts in (TEXT, image(depths={"stem": 0.1, "block.3": 0.9}), text(can_pool=False, depths=HUMP)):
        assert [e["name"] for e in edits(strategy, facts)] == ["new_head"] + ["lora"] * (strategy == "lora")


@pytest.mark.parametrize("strategy", ["full", "partial", "frozen"])
def test_where_nothing_could_be_measured_a_text_is_read_by_its_mean_and_that_is_said(strategy):
    facts = text(measured=False, median_per_class=1.0, probe=0.0)
    assert edits(strategy, facts) == (MEAN, NEW_HEAD)
    assert edits(strategy, image(measured=False)) == (NEW_HEAD,)
    told = STRATEGIES.get(strategy)().why(facts)
    assert any("no depth can be measured" in reason.rule for reason in told)
    suits, reason = STRATEGIES.get("frozen")().suits(facts)
    assert suits > STRATEGIES.get("partial")().suits(facts)[0]
    assert reason.saw == "1 rows in the median class, 352 in all, too few to probe the frozen features"


def test_fresh_weights_leave_the_architecture_alone():
    assert edits("scratch", text(depths=HUMP)) == (NEW_HEAD,)


def test_an_added_layer_counts_in_the_shares_of_the_body():
    averaged = text(depths=HUMP)
    assert tuning("partial", averaged)[0].learn == (f"top:{ceil(9 / 3)}",)
    assert [p.learn[0] for p in tuning("gradual", averaged)] == ["top:3", "top:5", "top:7", "*"]


def test_why_layers_go_is_said_with_the_scores():
    why = STRATEGIES.get("frozen")().why(text(depths=HUMP))
    about = next(r for r in why if r.rule.startswith("edits: "))
    assert "layer.2 0.8000" in about.saw
    assert "pooler 0.7000" in about.saw
    assert about.so == "keep 3 of 6 layers and average over tokens"


def test_how_long_is_said_with_the_steps():
    why = STRATEGIES.get("full")().why(TEXT)
    pace = next(r for r in why if "400 steps" in r.rule)
    assert "352 rows in batches of 16 are 22 steps an epoch" in pace.saw
    assert pace.so.startswith("19 epochs, 418 steps")


def test_how_the_head_begins_is_said():
    first, alone = (STRATEGIES.get(name)().why(TEXT)[0] for name in ("full", "frozen"))
    leave = phases("full", TEXT)[1].leave
    assert f"{leave:.0%} of the loss" in first.so
    assert "of the loss" not in alone.so
