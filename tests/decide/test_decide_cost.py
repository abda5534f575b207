"""The price of a plan, worked out by hand."""

import pytest
from decide_facts import IMAGE, TEXT

from warmstart.base.types import Pace, Phase
from warmstart.decide import cost
from warmstart.decide.choose import plan_for
from warmstart.decide.cost import at, boundary, price
from warmstart.decide.strategies import STRATEGIES
from warmstart.decide.strategies._depth import depth

PACE = Pace(
    step={0: 0.01, 4: 0.004},
    look={0: 0.003, 4: 0.001},
    move=1e-9,
    weights={0: 1_000_000, 4: 200_000},
    saved=1000,
)


def with_phases(*phases, base=IMAGE, **changes):
    from dataclasses import replace

    return replace(plan_for("full", base, "m"), phases=phases, **changes)


def test_between_measured_groups_the_price_lies_on_a_line_and_beyond_them_it_stays():
    assert at(PACE.step, 2) == pytest.approx(0.007)
    assert (at(PACE.step, 0), at(PACE.step, 4), at(PACE.step, 9)) == (0.01, 0.004, 0.004)


def test_full_epochs_are_steps_moves_and_looks():
    plan, n, v = with_phases(Phase(("*",), 1e-3, 3)), IMAGE.rows, 50
    steps = -(-n // plan.batch)
    expected = v * 0.003 + 3 * (n * 0.01 + steps * 1e-9 * 1_000_000 + v * 0.003)
    overhead = cost.PASSES * n * 0.003 + cost.PHASE
    assert price(plan, IMAGE, PACE, v).seconds == pytest.approx(cost.SLOWER * expected + overhead)


def test_a_prefix_is_paid_once_where_epochs_share_it_and_never_again_where_it_lies_there():
    body, v = depth(IMAGE, with_phases(Phase(("*",), 1e-3, 3)).edits), 50
    top = Phase((f"top:{body - 4}",), 1e-3, 3)
    one, two = with_phases(top), with_phases(top, top)
    prefix = cost.SLOWER * (IMAGE.rows + v) * (0.003 - 0.001)
    overhead = cost.PASSES * IMAGE.rows * 0.003
    first, both = (price(plan, IMAGE, PACE, v).seconds for plan in (one, two))
    epochs = both - first
    assert first == pytest.approx(overhead + cost.SLOWER * v * 0.001 + prefix + epochs)
    assert price(with_phases(top, Phase(("*",), 1e-3, 1), top), IMAGE, PACE, v).seconds > both + prefix


def test_norms_of_fresh_weights_are_measured_before_each_look():
    every = Phase(("*",), 1e-3, 2)
    fresh = with_phases(every, pretrained=False, norm_statistics="learn")
    kept = with_phases(every, pretrained=True, norm_statistics="frozen")
    more = price(fresh, IMAGE, PACE, 50).seconds - price(kept, IMAGE, PACE, 50).seconds
    assert more == pytest.approx(cost.SLOWER * 2 * min(IMAGE.rows, 512) * 0.003)


def test_memory_counts_what_moves_and_what_the_backward_pass_needs():
    plan = with_phases(Phase(("*",), 1e-3, 1))
    always = cost.ALWAYS + cost.COPY * 4 * IMAGE.parameters
    wanted = always + 4 * 4 * 1_000_000 + (1 + cost.LOOKED) * plan.batch * 1000
    assert price(plan, IMAGE, PACE, 9).memory == pytest.approx(wanted, abs=1)
    smaller = with_phases(Phase(("*",), 1e-3, 1), micro_batch=4, guards=())
    wanted = always + 3 * 4 * 1_000_000 + (1 + cost.LOOKED) * 4 * 1000
    assert price(smaller, IMAGE, PACE, 9).memory == pytest.approx(wanted, abs=1)


@pytest.mark.parametrize(("learn", "start"), [(("*",), 0), (("top:2",), 6), (("head",), 8), (("top:99",), 0)])
def test_where_a_phase_begins(learn, start):
    assert boundary(Phase(learn, 1e-3, 1), 8) == start


@pytest.mark.parametrize("base", [TEXT, IMAGE], ids=["text", "image"])
def test_every_strategy_has_a_price_and_scratch_the_highest(base):
    prices = {name: price(plan_for(name, base, "m"), base, PACE, 40).seconds for name in STRATEGIES.names()}
    assert min(prices, key=prices.get) == "frozen"
    assert max(prices, key=prices.get) == "scratch"
    assert prices["partial"] < prices["full"]


def test_a_network_that_loses_its_top_is_looked_at_for_less():
    from dataclasses import replace

    whole = plan_for("frozen", replace(TEXT, depths={}), "m")
    cut = replace(whole, edits=({"name": "drop_layers", "keep": 1}, {"name": "new_head"}))
    last = len(TEXT.body)
    pace = Pace({0: 0.01, last: 0.002}, {0: 0.003, last: 0.0002}, 1e-9, {0: 10, last: 1}, 1000)
    gone = at(pace.look, depth(TEXT, cut.edits)) - at(pace.look, last)
    more = price(whole, TEXT, pace, 50).seconds - price(cut, TEXT, pace, 50).seconds
    assert gone > 0
    assert more > cost.PASSES * TEXT.rows * gone
