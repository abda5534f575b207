"""Numbers and texts as readers see them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.base.types import Phase
from warmstart.report import words
from warmstart.report.units import NATS, PERCENT, POINTS, in_order, metric

at_any_speed = settings(deadline=None)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.9164, "91.6"), (1.0, "100.0"), (0.0, "0.0"), (-0.0, "0.0"), (-0.0004, "0.0"), (-0.0123, "−1.2")],
)
def test_accuracy_is_in_per_cent_with_one_decimal(value, shown):
    assert PERCENT.show(value) == shown


def test_a_gain_has_a_sign_unless_it_rounds_to_nothing():
    assert POINTS.reading(0.031, -0.0041, 0.0661, signed=True) == "+3.1 points [−0.4, +6.6]"
    assert POINTS.show(0.0004, signed=True) == POINTS.show(-0.0004, signed=True) == "0.0"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_a_dash(value):
    assert NATS.show(value) == "–"


def test_an_unknown_metric_comes_after_the_known_ones_and_has_no_unit():
    assert in_order({"zeta", "ece", "accuracy", "alpha"}) == ["accuracy", "ece", "alpha", "zeta"]
    assert metric("alpha").axis == "alpha"
    assert metric("log_loss").axis == "log-loss, nats"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.042, "0.04 s"),
        (0.9949, "0.99 s"),
        (0.996, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (192, "3 min 12 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (90061, "25 h 01 min"),
        (math.nan, "–"),
    ],
)
def test_a_duration_reads_like_a_clock(seconds, shown):
    assert words.clock(seconds) == shown


@at_any_speed
@given(st.floats(0, 1e7))
def test_a_duration_is_never_off_by_more_than_its_last_digit(seconds):
    units = {"s": 1, "min": 60, "h": 3600}
    parts = words.clock(seconds).split()
    told = sum(float(n) * units[unit] for n, unit in zip(parts[::2], parts[1::2], strict=True))
    step = {"h": 60, "min": 1}.get(parts[1], 0.1 if seconds >= 0.995 else 0.01)
    assert abs(told - seconds) <= step / 2 + 1e-6


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (999, "999"), (1000, "1.0 k"), (999_960, "1.0 M"), (22_713_216, "22.7 M"), (1.3e9, "1.3 B")],
)
def test_a_large_number_is_short(number, shown):
    assert words.amount(number) == shown


def test_a_p_value_is_never_zero():
    assert words.p_value(0) == "p < 0.001"
    assert words.p_value(0.0123) == "p = 0.012"
    assert words.chance(math.nan) == "–"


def test_learning_rates_have_no_needless_zeros():
    assert [words.rate(x) for x in (2e-5, 1e-3, 0.5, 1.0, 1e10)] == ["2e-5", "0.001", "0.5", "1", "1e10"]


@at_any_speed
@given(st.text(), st.integers(2, 40))
def test_a_shortened_name_fits_and_keeps_both_ends(text, width):
    shown = words.short(text, width)
    assert len(shown) <= width
    assert shown == text or (shown[0] == text[0] and "…" in shown)


def test_the_end_of_a_long_name_is_kept():
    assert words.short("organisation/model-base-v2", 15) == "organis…base-v2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07shown", "shown"),
        ("\x1b]8;;https://x.invalid/\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x1b]0;never ends", "a ]0;never ends"),
        ("\x9b31mred", "red"),
        ("two\r\nlines\x00", "two lines"),
        ("\u202eevil\u202c", "evil"),
        ("  much   space ", "much space"),
    ],
)
def test_no_terminal_escape_survives(text, shown):
    assert words.one_line(text) == shown


@at_any_speed
@given(st.text())
def test_one_line_is_one_printable_line(text):
    line = words.one_line(text)
    assert "\x1b" not in line
    assert len(line.splitlines()) <= 1
    assert all(ord(c) >= 32 and not 0x7F <= ord(c) <= 0x9F for c in line)


def test_nested_proofs_become_rows():
    table = {"frozen_unmoved": True, "saved": {"same_answers": True, "largest_difference": 1e-7}}
    assert list(words.flat(table)) == [
        ("frozen unmoved", True),
        ("saved: same answers", True),
        ("saved: largest difference", 1e-7),
    ]


def test_a_part_is_told_with_its_settings():
    assert words.part({"name": "l2_sp", "weight": 0.01, "on": True}) == "l2 sp (weight = 0.01, on = yes)"
    assert words.part({"name": "ema"}) == "ema"


def test_a_phase_for_all_groups_teaches_everything():
    assert words.learners(Phase(("*",), 1e-3, 1)) == "everything"
    assert words.learners(Phase(("block.5", "head"), 1e-3, 1)) == "block.5, head"


def test_a_phase_is_told_in_words():
    assert words.training(Phase(("head",), 1e-3, 1)) == "head for 1 epoch at a rate of 0.001"
    assert words.training(Phase(("*",), 2e-5, 8, 0.9)) == (
        "everything for 8 epochs at a rate of 2e-5, decay 0.9 per group"
    )
    solved = Phase(("head",), 1e-3, 1, solver="logistic")
    assert words.training(solved) == "head, solved exactly as a logistic regression"


def test_the_headline_does_not_repeat_the_verdict_above_it():
    assert words.after_verdict("worth it", "Worth it: the full run wins.") == "The full run wins."
    assert words.after_verdict("worth it", "The full run wins.") == "The full run wins."


def test_the_recommended_run_is_named_once():
    assert words.recommendation("frozen", "frozen; cheaper than full") == "frozen; cheaper than full"
    assert words.recommendation("frozen", "cheaper than full") == "frozen; cheaper than full"


def test_a_time_is_told_to_the_minute():
    assert words.moment("2026-03-14T09:26:53Z") == "2026-03-14 09:26 UTC"
    assert words.moment("yesterday") == "yesterday"
