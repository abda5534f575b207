"""The map of choices: every field is tinted, named, and the mark stands where the data do."""

import re

import pytest

from warmstart.base.result import Chart
from warmstart.report.regions import legend, place_of, region_plot

CHART = Chart(
    (1, 10, 100), (0.0, 1.0), (("full", "full", "<b>odd</b>"), ("frozen", "full", "full")), (10.0, 0.0)
)


def test_every_field_is_drawn_and_names_are_harmless():
    drawn = str(region_plot(CHART))
    assert len(re.findall("<rect", drawn)) == 6
    assert "<b>" not in drawn
    assert "&lt;b&gt;odd&lt;/b&gt;" in drawn


def test_the_legend_begins_with_what_is_chosen_most_often():
    assert [name for _, name in legend(CHART)][0] == "full"
    assert sorted(name for _, name in legend(CHART)) == ["<b>odd</b>", "frozen", "full"]


@pytest.mark.parametrize(("value", "place"), [(0.5, 0), (1, 0), (10, 1), (10**1.5, 1.5), (100, 2), (5000, 2)])
def test_places_follow_the_logarithm(value, place):
    assert place_of(value, (1, 10, 100)) == pytest.approx(place)


def test_the_mark_stands_in_the_field_of_the_data():
    drawn = str(region_plot(CHART))
    x, y = re.search(r'class="mark" x="([\d.]+)%" y="([\d.]+)"', drawn).groups()
    assert float(x) == pytest.approx(50, abs=0.01), "the middle one of three"
    assert float(y) > 110, "low similarity is at the foot"
