"""The marks: axes that enclose the data, dots where the numbers are, nothing lost."""

import math
import re
from xml.etree import ElementTree

import pytest
from example_results import example, long_names
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from warmstart.report import panels
from warmstart.report.figures import Dot, Line, heat_table, interval_plot, line_plot
from warmstart.report.scale import Scale, nice_ticks
from warmstart.report.units import PERCENT

at_any_speed = settings(deadline=None)
numbers = st.floats(-1e9, 1e9, allow_nan=False)


@at_any_speed
@given(st.lists(numbers, min_size=1, max_size=8), st.integers(2, 8))
def test_ticks_enclose_the_data_and_are_round_and_few(values, about):
    ticks = nice_ticks(values, about)
    step = ticks[1] - ticks[0]
    slack = 1e-6 * max(1.0, abs(step), *map(abs, values))
    assert ticks[0] <= min(values) + slack and ticks[-1] >= max(values) - slack
    assert 2 <= len(ticks) <= about + 3
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-6)
    assert any(math.isclose(mantissa, m, rel_tol=1e-3) for m in (1, 2, 2.5, 5, 10))


def test_accuracies_near_one_do_not_pass_one_hundred_per_cent():
    assert nice_ticks([91.2, 99.9])[-1] == 100


def test_a_single_value_still_has_an_axis():
    assert len(Scale.over([0.0]).ticks) >= 2
    assert len(Scale.over([3.0, 3.0], tight=True).ticks) >= 2
    assert len(Scale.over([3.1, 3.2], about=1, tight=True).ticks) >= 2
    assert len(Scale.over([]).ticks) >= 2


@at_any_speed
@given(st.lists(numbers, min_size=2, max_size=8))
def test_tick_names_are_the_ticks(values):
    assume(max(values) - min(values) > 1e-6 * max(1.0, *map(abs, values)))
    scale = Scale.over(values)
    told = [float(name.replace("−", "-").replace(",", "")) for name in scale.names()]
    assert told == pytest.approx(scale.ticks, rel=1e-9, abs=1e-9 * (scale.high - scale.low))
    assert len(set(told)) == len(told)


@at_any_speed
@given(st.lists(numbers, min_size=2, max_size=8))
def test_every_value_lies_on_the_axis_in_order(values):
    scale = Scale.over(values)
    shares = [scale.share(v) for v in sorted(values)]
    assert shares == sorted(shares)
    assert all(-1e-6 <= s <= 1 + 1e-6 for s in shares)


def percent(text):
    return float(text.removesuffix("%"))


def parsed(svg):
    return ElementTree.fromstring(str(svg))


def test_a_dot_lies_where_its_value_is():
    svg = parsed(interval_plot("t", "a", [Dot("a", 0.2, 0.1, 0.3), Dot("b", 0.8, 0.7, 1.0, True)], PERCENT))
    names = [t for t in svg.iter("text") if t.get("class") == "tick"]
    places = {float(t.text): percent(t.get("x")) for t in names}  # tick -> place
    first, last = min(places), max(places)
    marks = [percent(m.get("x")) for m in svg.iter("svg") if m.get("class") == "mark"]
    for value, x in zip((20, 80), marks, strict=True):
        expected = 100 * (value - first) / (last - first)
        assert x == pytest.approx(expected, abs=0.01)
    spans = [
        (percent(s.get("x1")), percent(s.get("x2"))) for s in svg.iter("line") if s.get("class") == "span"
    ]
    assert all(low < x < high for (low, high), x in zip(spans, marks, strict=True))


def test_the_chosen_row_has_another_shape():
    svg = parsed(interval_plot("t", "a", [Dot("a", 1, 0, 2, True), Dot("b", 2, 1, 3)]))
    shapes = [mark[0].tag for mark in svg.iter("svg") if mark.get("class") == "mark"]
    assert shapes == ["path", "circle"]


def test_zero_stays_in_view():
    svg = parsed(interval_plot("t", "a", [Dot("a", 5, 4, 6)], zero=True))
    line = next(x for x in svg.iter("line") if x.get("class") == "zero")
    assert 0 <= percent(line.get("x1")) <= 100


def test_numbers_that_are_none_are_left_out():
    nan = float("nan")
    svg = parsed(interval_plot("t", "a", [Dot("a", nan, nan, nan), Dot("b", 1, nan, math.inf)]))
    rows = [g.find("title").text for g in svg.iter("g")]
    assert rows == ["b: 1.000"]
    assert parsed(interval_plot("t", "a", [])).find("title").text == "t"
    assert parsed(line_plot("t", "x", "y", [])).find("title").text == "t"


def test_every_figure_has_a_title_and_says_its_numbers():
    svg = parsed(interval_plot("Accuracy of runs", "accuracy, %", [Dot("full", 0.916, 0.9, 0.93)], PERCENT))
    assert svg.find("title").text == "Accuracy of runs"
    assert svg.find("desc").text == "accuracy, %. full: 91.6 % [90.0, 93.0]."
    curves = parsed(line_plot("Loss", "step", "loss", [Line("training", "solid", ((0, 2.0), (9, 1.0)))]))
    assert curves.find("desc").text == "loss over step. training: from 2.000 to 1.000."


def test_a_long_name_is_shortened_and_told_in_full():
    name = "a name that is much longer than there is room for"
    svg = parsed(interval_plot("t", "a", [Dot(name, 1, 0, 2)]))
    label = next(t.text for t in svg.iter("text") if t.get("class") == "name")
    assert len(label) <= 22 and "…" in label
    assert svg.find("g").find("title").text.startswith(name)


def test_a_curve_passes_through_its_points():
    svg = parsed(line_plot("t", "x", "y", [Line("l", "solid", ((0, 0), (5, 10), (10, 5)))]))
    where = next(svg.iter("polyline")).get("points").split()
    points = [tuple(map(float, p.split(","))) for p in where]
    assert points == [(0, 200), (500, 0), (1000, 100)]


def test_a_phase_without_room_keeps_its_line_but_not_its_name():
    lines = [Line("l", "solid", ((0, 1), (100, 2)))]
    svg = parsed(line_plot("t", "x", "y", lines, [(0, "phase 1"), (2, "phase 2"), (60, "phase 3")]))
    names = [t.text for t in svg.iter("text") if t.get("class") == "phase"]
    assert names == ["phase 2", "phase 3"]
    assert sum(line.get("class") == "phase" for line in svg.iter("line")) == 3


def test_the_confusion_table_shows_every_count_and_its_share():
    table = parsed(heat_table(("a", "b"), ((9, 4), (1, 0))))
    cells = [(c.text, c.get("class")) for c in table.iter("td")]
    assert cells == [("9", "right t4"), ("4", "wrong t5"), ("1", "wrong t2"), ("·", "right t0")]
    assert all(h.get("scope") in ("col", "row") for h in table.iter("th"))


def test_pairs_come_most_confused_first_and_never_on_the_diagonal():
    confusion = example(classes=77).confusion
    pairs = panels.confused_pairs(confusion)
    counts = [p.count for p in pairs]
    assert counts == sorted(counts, reverse=True) and len(pairs) == panels.MOST_PAIRS
    assert all(p.truth != p.called for p in pairs)
    highest = max(n for i, row in enumerate(confusion.matrix) for j, n in enumerate(row) if i != j)
    assert counts[0] == highest


def test_too_many_classes_have_pairs_in_place_of_a_table():
    assert panels.confusion_table(example(classes=77).confusion) is None
    assert panels.confusion_table(example(classes=10).confusion) is not None


def test_phases_begin_where_the_one_before_ended():
    assert panels.phases(example().runs["full"]) == [(0.0, "phase 1"), (50.0, "phase 2")]
    assert panels.phases(example().runs["scratch"]) == []


def test_all_curves_have_the_same_height():
    figures = [svg for _, svg in panels.learning_curves(example())]
    sides = [re.findall(r'text-anchor="end">([^<]+)<', str(svg)) for svg in figures]
    assert len(sides) == 3 and all(side == sides[0] for side in sides)


def test_a_history_with_gaps_is_drawn_where_it_has_numbers():
    run = example().runs["full"]
    broken = (
        {"step": 1},
        {"step": 2, "train_loss": None, "validation_loss": 1.0},
        {"train_loss": float("nan")},
    )
    lines = panels.losses(type(run)(**{**vars(run), "history": broken}))
    assert [(line.label, line.points) for line in lines] == [("validation", ((2.0, 1.0),))]


def test_the_primary_metric_is_drawn_for_every_run():
    svg = parsed(panels.runs_plot(example()))
    rows = [g.find("title").text.split(":")[0] for g in svg.iter("g")]
    assert rows == ["full", "frozen", "scratch", "base"]
    assert parsed(panels.ranking_plot(long_names())) is not None
