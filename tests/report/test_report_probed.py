"""What labels and weights are worth, in every form: sentences, bands and spots where the numbers are."""

import re
from dataclasses import replace
from io import StringIO
from xml.etree import ElementTree

import pytest
from example_results import example, labels, probed, refused, weights
from rich.console import Console

from warmstart.base.probed import Several
from warmstart.report import probed as told
from warmstart.report.bands import Band, Spot, band_plot
from warmstart.report.forms import html, markdown
from warmstart.report.scale import Scale
from warmstart.report.terminal import summary


def terminal(result):
    out = StringIO()
    Console(file=out, width=200).print(summary(result))
    return out.getvalue()


FORMS = {"html": html.page, "markdown": markdown.text, "terminal": terminal}


def plain(text):
    """Without markup and escapes."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text).replace("\\", "")).lower()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_what_the_next_labels_are_worth_and_what_scratch_would_need(form):
    text = plain(FORMS[form](probed()))
    assert "the next 500 labels are worth +0.8 points [+0.2, +1.5]" in text
    assert "from scratch it takes 6.0× [3.0×, more] the labels for 95.5 %" in text
    assert "fresh-upper-half" in text
    if form == "terminal":  # a screen has room for the nearest step alone
        return
    assert "97.0 % takes 4,410 [3,600, more] labels" in text
    assert "98.0 % is beyond what can be foreseen" in text


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_why_there_is_no_curve(form):
    text = plain(FORMS[form](refused()))
    assert "no curve can be drawn for full" in text
    assert "84.0 % at 1,000 rows" in text
    assert "scratch starts from fresh weights" in text


@pytest.mark.parametrize("form", FORMS)
def test_what_was_not_asked_for_is_not_told_but_the_page_says_how_to_ask(form):
    text = plain(FORMS[form](example()))
    assert "the next 500 labels" not in text
    assert ("warmstart prove runs/topics-3 --probe labels" in text) == (form == "html")


def test_a_ratio_that_may_be_anything_is_no_number():
    open_ended = replace(labels(), times=Several(1.3, "fewer than", 0.0, None, 0.9))
    sentence = list(told.label_sentences(open_ended))[-1]
    assert "cannot be told" in sentence
    assert "1.3" not in sentence


def test_only_starts_whose_interval_lies_below_are_said_to_end_lower():
    assert told.shown_to_lose(weights()) == ["fresh-upper-half", "scratch"]
    assert "noise-0.3" not in told.weights_in_short(weights())
    assert [s.name for s in told.in_order(weights().starts)] == ["noise-0.3", "fresh-upper-half", "scratch"]


def places(drawn, tag):
    return [e.attrib for e in ElementTree.fromstring(drawn).iter(tag)]


def test_spots_and_bands_lie_where_their_numbers_are():
    """Rows from 100 to 400, each doubling half of the width; scores from 0 to 1 on 200 pixels below 18."""
    band = Band("full", "ours", ((100, 0.2, 0.4, 0.6), (200, 0.4, 0.5, 0.6), (400, 0.0, 0.75, 1.0)), 200)
    spot = Spot("one", "ours", (200, 0.25, 0.5, 0.75))
    drawn = str(band_plot("t", "rows", "score", [band], [spot]))
    circle = places(drawn, "circle")[0]
    assert (circle["cx"], float(circle["cy"])) == ("50.00%", pytest.approx(18 + 100))
    upright = places(drawn, "line")[-2]
    assert (float(upright["y1"]), float(upright["y2"])) == (pytest.approx(18 + 150), pytest.approx(18 + 50))
    reached, beyond = (p["points"] for p in places(drawn, "polyline"))
    assert reached == "0.0,120.0 500.0,100.0"
    assert beyond == "500.0,100.0 1000.0,50.0"
    assert places(drawn, "polygon")[0]["points"].split()[-1] == "0.0,80.0"


def test_doublings_are_as_far_from_each_other_everywhere():
    scale = Scale.of_counts([50, 800])
    shares = [scale.share(n) for n in (50, 100, 200, 400, 800)]
    assert shares == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert scale.names() == ["50", "100", "200", "500"]
    assert len(Scale.of_counts([73]).ticks) > 1


def test_without_a_measured_quality_the_losses_alone_are_drawn():
    blind = replace(weights(), quality=None, starts=tuple(replace(s, quality=None) for s in weights().starts))
    assert told.weights_plot(blind) is None
    assert "scratch" in str(told.losses_plot(blind))
