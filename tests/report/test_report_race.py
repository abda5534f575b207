"""The race in terminal and page: the order that it gave, what each came to, what it says of the ranking."""

import re
from dataclasses import replace

import pytest
from example_results import example
from test_report_terminal import seen

from warmstart.report.forms.html import page
from warmstart.report.terminal import known_table, race_table, ranking_table, summary
from warmstart.report.words import size


def flat(renderable, width=80):
    return " ".join(" ".join(seen(renderable, width)).split())


def test_the_terminal_shows_who_came_in_and_by_how_much():
    lines = seen(race_table(example().race))
    rows = [line for line in lines if "minilm" in line or "bert-tiny" in line or "distil" in line]
    assert rows[0].startswith("◆ minilm-l6") and rows[0].rstrip().endswith("best")
    assert "81.0 [76.0, 86.0]   +0.210 [+0.080, +0.350]" in rows[1]
    assert "not trained" in rows[2]
    assert all(len(line) <= 80 for line in lines)


def test_the_summary_says_whether_the_ranking_had_been_right():
    result = example()
    told = flat(summary(result))
    assert "Race: the ranking had been right: minilm-l6" in told
    assert "whether bert-tiny" not in told
    tuned = replace(result, runs={**result.runs, "runner-up": result.runs["frozen"]})
    assert "Race: whether bert-tiny would be better is not known" in flat(summary(tuned))
    assert "Race:" not in flat(summary(replace(example(), race=None)))


def test_the_order_is_said_to_be_that_of_the_race():
    result = example()
    table = flat(ranking_table(result.ranking, result.score, race=result.race))
    assert "the first 2 stand in the order of their race" in table
    assert "race" not in flat(ranking_table(result.ranking, result.score))


def test_what_is_known_of_the_models_fits_a_screen():
    lines = seen(known_table(example().ranking))
    assert all(len(line) <= 80 for line in lines)
    told = flat(known_table(example().ranking))
    assert "90.9 MB 2.3 apache-2.0 sentence similarity" in told
    assert "mit unknown" in told


def test_the_page_has_a_row_for_each_lap_and_all_reasons():
    html = page(example())
    race = html[html.index("<h3>The race</h3>") : html.index("<h3>What is known of them</h3>")]
    assert len(re.findall("<tr", race)) == 1 + 3
    assert "not trained: its weights are not finite" in race
    assert race.count('class="reason"') == 3
    assert "<h3>The race</h3>" not in page(replace(example(), race=None))


def test_a_run_from_another_model_is_named():
    result = example()
    runs = {**result.runs, "runner-up": replace(result.runs["full"], start="hub-user/bert-tiny")}
    assert "runner-up is hub-user/bert-tiny" in flat(summary(replace(result, runs=runs)))
    assert "hub-user/bert-tiny" in page(replace(result, runs=runs, ranking=()))


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, ""), (812, "812 B"), (61_000, "61.0 kB"), (45_437_760, "45.4 MB"), (2e9, "2.0 GB")],
)
def test_sizes_are_short(number, shown):
    assert size(number) == shown
