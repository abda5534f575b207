"""The sentence a reader sees: exact words for known worlds, and words that never appear."""

from itertools import product

import pytest
from evaluate_worlds import LABELS, first, run, world

from warmstart.evaluate.metrics import METRICS
from warmstart.evaluate.weigh import weigh
from warmstart.evaluate.words import Words


def headline(runs, planned="full", **settings):
    return weigh(planned, runs, LABELS, **settings).headline


def test_worth_it_says_how_much_more_than_scratch():
    runs = world({"frozen": 0.7, "full": 0.9, "scratch": 0.6}, test=1200)
    assert headline(runs) == (
        "Worth it: the full run answers 90.0 % of 1,200 test rows correctly, "
        "30.0 points more than learning from scratch (95 % interval 27.4 to 32.5)."
    )


def test_a_planned_run_that_was_not_recommended_is_compared_too():
    runs = {
        "frozen": run("frozen", {"validation": first(300, 0.9), "test": first(600, 0.9)}),
        "full": run("full", {"validation": first(300, 0.85), "test": first(600, 0.895)}),
        "scratch": run("scratch", {"validation": first(300, 0.6), "test": first(600, 0.6)}),
    }
    assert headline(runs).endswith(
        "; the planned full run cannot be told from it: 0.5 points less (95 % interval 1.2 less to 0.2 more)."
    )
    runs["full"] = run("full", {"validation": first(300, 0.85), "test": first(600, 0.8)})
    assert headline(runs).endswith("; the planned full run 10.0 points less (95 % interval 7.5 to 12.4).")
    runs["full"] = run("full", {"validation": first(300, 0.85), "test": first(600, 0.99)})
    assert headline(runs).endswith(
        "; the planned full run 9.0 points more (95 % interval 6.6 to 11.3), "
        "but not on the validation rows, which choose."
    )


def test_not_worth_it_compares_the_tuned_run_with_the_recommended_one():
    assert headline(world({"base": 0.9, "full": 0.9, "scratch": 0.9}, test=1000)) == (
        "Not worth it: the pretrained model as it is answers 90.0 % of 1,000 test rows correctly, "
        "the full run 0.0 points more (95 % interval 0.3 less to 0.3 more); "
        "a gain of 1.0 points or more is ruled out."
    )


def test_cannot_tell_says_what_the_rows_could_have_shown():
    text = headline(world({"full": 0.8, "scratch": 0.7}, test=20))
    assert text.startswith(
        "Cannot tell: the full run answers 80.0 % of 20 test rows correctly, 10.0 points more"
    )
    assert "only true differences from 34.8 points up are likely to show on these rows" in text


def test_a_gain_near_the_limit_is_called_so():
    right = first(300, 0.84)
    rival = right.copy()
    rival[:14], rival[-4:] = False, True  # 14 rows won, 4 lost
    runs = {
        name: run(name, {"validation": r, "test": r}) for name, r in (("full", right), ("scratch", rival))
    }
    found = weigh("full", runs, LABELS)
    assert found.verdict == "worth it"
    assert found.gains["scratch"].value < found.detectable
    assert "near the limit of what these rows can show" in found.headline


def test_one_row_is_not_many_rows():
    text = headline(world({"full": 1.0, "scratch": 0.0}, test=1))
    assert "100.0 % of 1 test row correctly" in text
    assert "so few rows can show no difference" in text


def test_a_metric_where_lower_is_better_says_lower():
    text = headline(world({"full": 0.9, "scratch": 0.6}), primary="log_loss")
    assert "the full run has a log-loss of 0.394 nats on 600 test rows, 0.867 nats lower than" in text


ALL = [dict(zip(("base", "frozen", "full", "scratch"), shares, strict=True))
       for shares in product((0.6, 0.9), repeat=4)]  # fmt: skip


@pytest.mark.parametrize("primary", ["accuracy", "log_loss"])
@pytest.mark.parametrize("rows", [1, 40, 400])
def test_every_headline_is_one_sentence_without_class_names_and_never_says_better(rows, primary):
    for shares in ALL:
        text = headline(world(shares, test=rows, validation=60), primary=primary)
        assert text.startswith(("Worth it: ", "Not worth it: ", "Cannot tell: "))
        assert text.endswith(".")
        assert text.count(". ") == 0
        assert "better" not in text
        assert not any(label in text for label in LABELS)


def test_numbers_have_the_units_of_their_metric():
    share, nats, plain = (Words(METRICS.get(name)()) for name in ("accuracy", "log_loss", "brier"))
    assert (share.value(0.8612), nats.value(0.41234), plain.value(0.2)) == ("86.1 %", "0.412 nats", "0.200")
    assert (share.difference(-0.123), nats.difference(0.12)) == ("12.3 points", "0.120 nats")
    assert share.interval(0.101, 0.146) == "10.1 to 14.6"
    assert share.interval(-0.016, 0.008) == "−1.6 to +0.8"
    assert share.number(-0.0001) == "0.0"
