"""Several seeds in every form: mean, spread, each seed, and which model was shipped."""

import re
from io import StringIO

import pytest
from example_results import example, several_seeds
from rich.console import Console

from warmstart.report import panels, seeds
from warmstart.report.forms import html, markdown, model_card
from warmstart.report.terminal import summary

RESULT = several_seeds()
SHIPPED = "that of seed 3 (full-seed-3), of the 5 the one of lowest validation log-loss (0.300)"


def terminal(result):
    out = StringIO()
    Console(file=out, width=200).print(summary(result))
    return out.getvalue()


FORMS = {"html": html.page, "markdown": markdown.text, "card": model_card.card, "terminal": terminal}


def plain(text):
    """Without markup and escapes."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text).replace("\\", ""))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_shows_mean_and_spread_and_what_was_shipped(form):
    text = plain(FORMS[form](RESULT))
    assert (SHIPPED if form != "terminal" else "seed 3, of 5 the best on validation") in text
    assert "accuracy 91.7 % [89.2, 94.0]" in text, "its own, of seed 3"
    assert text.count("1.3 points") >= 3, "the spread of each trained run"
    assert "over 5 seeds t 0.004, one-sided signs 0.031" in text


@pytest.mark.parametrize("form", FORMS)
def test_one_seed_leaves_the_pages_as_they_were(form):
    text = FORMS[form](example())
    assert "Over 1 seed" not in text
    assert "spread" not in text.lower().replace("mean and spread", "")
    assert "Shipped" not in text


def test_markdown_shows_each_seed_of_each_run():
    table = [line for line in markdown.text(RESULT).splitlines() if line.startswith("| run | mean")]
    assert table == ["| run | mean | spread | seed 0 | seed 1 | seed 2 | seed 3 | seed 4 |"]


def test_the_card_s_metadata_are_those_of_the_shipped_model():
    front = model_card.front_matter(RESULT)
    assert f"value: {RESULT.shipped.metrics['accuracy'].value:.3f}" in front
    assert RESULT.shipped.metrics["accuracy"].value != RESULT.runs["full"].metrics["accuracy"].value


def test_the_plot_marks_the_shipped_seed():
    drawn = str(panels.seeds_plot(RESULT))
    assert drawn.count("chosen") == 1
    assert drawn.count("<g class=") == 15  # three runs of five seeds


def test_how_sure_a_gain_is_names_the_correction_only_where_it_changes_something():
    gain = example().gains["scratch"]
    assert seeds.certainty(gain) == "p < 0.001"
    assert seeds.certainty(RESULT.gains["frozen"]).startswith("p = 0.00")
    assert ", by Holm 0.0" in seeds.certainty(RESULT.gains["frozen"])
