"""Causes, the temperature and what is known by heart, in every form; what was not measured is not told."""

import re
from dataclasses import replace
from io import StringIO
from xml.etree import ElementTree

import pytest
from example_results import calibrated, example, explained, overfitted, reliability
from rich.console import Console

from warmstart.base.types import Measure, Reason
from warmstart.report import calibrated as told
from warmstart.report import overfitted as why
from warmstart.report.forms import html, markdown
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
def test_every_form_names_the_likeliest_cause_and_what_to_do(form):
    text = plain(FORMS[form](overfitted()))
    assert "likeliest cause: label noise (a fifth)" in text
    assert "look at them" in text
    if form != "terminal":  # a screen has room for the first alone
        assert "too long" in text and "--set phases.1.epochs=3" in text


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_whether_a_temperature_is_used_and_what_it_changes(form):
    text = plain(FORMS[form](overfitted()))
    assert "used by warmstart predict: the model is surer than it is right" in text
    assert "−0.110" in text and "−8.0" in text


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_how_far_shuffled_labels_were_learned(form):
    text = plain(FORMS[form](overfitted()))
    assert "gives 90.0 % [88.0, 92.0] of 256 training rows the label they were taught with" in text
    assert "learn rows by heart, 88.9 %" in text


@pytest.mark.parametrize("form", FORMS)
def test_what_was_not_measured_is_not_told_but_the_page_says_how_to_ask(form):
    text = plain(FORMS[form](example()))
    assert "temperature" not in text or form == "html"
    assert ("warmstart prove runs/topics-3 --probe random-labels" in text) == (form == "html")


def test_the_diagram_has_a_spot_for_each_bin_before_and_after():
    drawn = ElementTree.fromstring(str(told.diagram(calibrated())))
    spots = [g for g in drawn.iter("g") if "spot" in g.get("class", "")]
    assert [s.get("class").split()[-1] for s in spots] == ["theirs"] * 5 + ["ours"] * 5
    alone = ElementTree.fromstring(str(told.diagram(replace(calibrated(), after=None))))
    assert len([g for g in alone.iter("g") if "spot" in g.get("class", "")]) == 5


def test_an_error_that_chance_gives_is_not_called_more():
    assert "is more than what 500 rows show by chance" in told.verdict(calibrated())
    assert "is no more than what" in told.verdict(replace(calibrated(), before=reliability(0.04)))


def test_a_temperature_that_is_not_used_changes_nothing_in_short():
    reason = Reason("calibration", "29 validation rows", "none is fitted: so few rows cannot tell")
    unused = replace(calibrated(), used=False, why=reason, after=None, changes={})
    assert told.in_short(unused) == "no temperature (none is fitted: so few rows cannot tell)"
    assert "not measured" not in html.page(replace(overfitted(), calibration=unused))


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.55, 0.6, "more than chance"), (0.45, 0.6, "no better than chance"), (0.3, 0.4, "less")],
)
def test_an_area_is_compared_with_a_coin(low, high, words):
    assert why.by_heart(Measure("", (low + high) / 2, low, high, 9)).endswith(words)


def test_all_causes_of_the_recommended_run_are_shown_and_the_first_of_the_others():
    result = overfitted()
    both = replace(result, overfitting={"scratch": explained(), "full": explained()})
    assert [(name, cause.name) for name, cause in why.causes(both)] == [
        ("full", "label noise"),
        ("full", "too long"),
        ("scratch", "label noise"),
    ]
