"""The page as text: whole, escaped, self-contained, readable without sight of colour."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from example_results import VARIANTS, bare, example, long_names, small, thumbnail
from hostile_texts import AWKWARD, SCRIPTS, poisoned

from warmstart.base.types import Measure
from warmstart.report.forms.html import PAGES, Html, is_picture, page

VOID = {"meta", "link", "img", "br", "hr", "input", "wbr"}
CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class Page(HTMLParser):
    """Tags, attributes and text of a page; complains of tags that close nothing."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.headings, self.open = [], "", [], []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, text):
        self.text += text


def kinds(parsed):
    """Every tag with every attribute that it has somewhere."""
    return {(tag, name) for tag, attributes in parsed.tags for name in ("", *attributes)}


@pytest.fixture(params=VARIANTS)
def html(request):
    return page(VARIANTS[request.param]())


def test_every_page_is_well_formed_and_complete(html):
    parsed = Page(html)
    ids = [a["id"] for _, a in parsed.tags if "id" in a]
    links = [a["href"][1:] for tag, a in parsed.tags if tag == "a"]
    assert len(ids) == len(set(ids))
    assert sorted(links) == sorted(set(ids)) and len(links) == 21


def test_headings_descend_by_one_step_only(html):
    levels = Page(html).headings
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))


def test_tables_say_what_their_columns_and_rows_are(html):
    heads = [attributes for tag, attributes in Page(html).tags if tag == "th"]
    assert heads and all(a.get("scope") in ("col", "row") for a in heads)


def test_a_page_holds_all_it_shows_and_runs_nothing(html):
    parsed = Page(html)
    policy = next(a["content"] for _, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith(CSP)
    assert_inert(parsed)
    styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert len(styles) == 1 and "url(" not in styles[0] and "@import" not in styles[0]


def assert_inert(parsed):
    """No script, no handler, and no address but places on the page and data."""
    for tag, attributes in parsed.tags:
        assert tag not in ("script", "iframe", "object", "embed", "base", "form", "input")
        assert attributes.get("http-equiv", "Content-Security-Policy") == "Content-Security-Policy"
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("srcdoc", "srcset", "background", "action", "xlink:href")
            if name in ("src", "href"):
                assert value.startswith(("#", "data:image/", "data:,")), (tag, value)
            if name == "style":
                assert re.fullmatch(r"width:\d{1,3}%", value), value


@pytest.mark.parametrize("texts", [SCRIPTS, AWKWARD], ids=["scripts", "awkward"])
def test_no_text_of_the_user_becomes_markup(texts):
    assert len(SCRIPTS) >= 60
    result = small()
    clean = kinds(Page(page(result))) | kinds(Page(page(replace(result, verdict="?"))))
    for turn in range(len(texts)):
        parsed = Page(page(poisoned(result, texts, turn)))
        assert_inert(parsed)
        assert kinds(parsed) <= clean


def test_the_user_reads_what_the_user_wrote():
    result = example()
    mistakes = tuple(replace(result.mistakes[0], text=text) for text in SCRIPTS)
    shown = Page(page(replace(result, mistakes=mistakes))).text
    assert all(text in shown for text in SCRIPTS)


def test_hostile_pictures_are_not_shown():
    for uri in (
        "https://evil.invalid/x.png",
        "data:text/html,x",
        'data:image/png;base64,AA" onerror="x',
        *SCRIPTS,
    ):
        assert not is_picture(uri)
        mistake = replace(example(mistakes=1).mistakes[0], image=uri)
        assert_inert(Page(page(replace(small(), mistakes=(mistake,)))))
    assert not is_picture("data:image/svg+xml;base64,AAAA")
    assert not is_picture("data:image/png;base64,AAAA\n")
    assert is_picture(thumbnail(np.random.default_rng(0)))


def test_every_number_of_a_run_is_on_the_page_beside_its_interval():
    result = example()
    text = re.sub(r"\s+", " ", Page(page(result)).text)
    for run in result.runs.values():
        accuracy, loss = run.metrics["accuracy"], run.metrics["log_loss"]
        assert f"{100 * accuracy.value:.1f}[{100 * accuracy.low:.1f}, {100 * accuracy.high:.1f}]" in text
        assert f"{loss.value:.3f}[{loss.low:.3f}, {loss.high:.3f}]" in text
    for gain in result.gains.values():
        assert f"+{100 * gain.value:.1f}[+{100 * gain.low:.1f}, +{100 * gain.high:.1f}]" in text
    assert f"{result.runs['full'].trained_parameters:,}" in text
    assert result.data.fingerprint in text and result.reproduce.command in text


def test_findings_mistakes_reasons_and_proofs_are_on_the_page():
    result = example(findings=5)
    text = Page(page(result)).text
    for finding in result.findings:
        assert finding.what in text and finding.do in text and all(w in text for w in finding.where)
    for mistake in result.mistakes:
        assert mistake.text in text and mistake.where in text
    for reason in (
        result.why,
        *result.ranking_reasons,
        *result.plan.reasons,
        *(o.reason for o in result.considered),
    ):
        assert reason.rule in text and reason.saw in text and reason.so in text
    assert text.count("held") >= 3 and result.anatomy in text


def test_a_failed_proof_is_not_called_held():
    text = Page(page(replace(example(), proofs={"saved_model": {"answers_the_same": False}}))).text
    assert "saved model: answers the same✗ failed" in re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    ("verdict", "mark"), [("worth it", "circle"), ("not worth it", "rect"), ("cannot tell", "path")]
)
def test_each_verdict_has_its_own_shape(verdict, mark):
    html = page(example(verdict=verdict))
    seal = html[html.index('class="seal"') :]
    assert re.search(r"<(\w+) class=\"shape\"", seal)[1] == mark


def test_what_is_missing_is_said():
    text = Page(page(bare())).text
    for told in ("no rival to compare", "No run has a history", "No wrong test row", "Nothing was found"):
        assert told in text


def test_numbers_that_are_not_finite_do_not_break_the_page():
    result = example()
    nan, run = float("nan"), result.runs["base"]
    run = replace(run, metrics={"accuracy": Measure("accuracy", nan, nan, nan, 0)}, seconds=float("inf"))
    html = page(replace(result, runs={**result.runs, "base": run}, detectable=nan))
    assert not re.search(r"\b(nan|inf)\b", Page(html).text)


def test_long_names_are_whole_in_a_title_and_short_in_tables():
    result = long_names()
    tags = Page(page(result)).tags
    assert any(result.ranking[0].name in a.get("title", "") for _, a in tags)
    assert any(result.confusion.labels[0] == a.get("title") for _, a in tags)


def test_a_page_of_text_is_small_and_one_with_sixty_pictures_not_large():
    assert len(page(example(mistakes=60)).encode()) < 500_000
    assert len(page(example(classes=77, mistakes=60, candidates=8)).encode()) < 500_000
    assert len(page(example(images=True, mistakes=60)).encode()) < 3_000_000


def test_the_same_result_gives_the_same_page(tmp_path):
    first = Html().write(example(), tmp_path / "a").read_bytes()
    assert first == Html().write(example(), tmp_path / "b").read_bytes()


def test_no_template_marks_a_text_as_safe():
    for path in PAGES.rglob("*.html"):
        assert not re.search(r"\|\s*safe|autoescape|Markup", path.read_text()), path


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_text_colour_stands_out_by_light_and_by_night():
    css = Path(PAGES / "style.css").read_text()
    themes = [theme for theme in re.findall(r":root \{(.*?)\}", css, re.DOTALL) if "--ink" in theme]
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for text in ("ink", "muted", "accent", "good", "bad", "unsure"):
            for ground in ("paper", "panel"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for tint in (f"{side}-{step}" for side in ("right", "wrong") for step in range(1, 6)):
            assert contrast(colours["ink"], colours[tint]) >= 4.5, tint
