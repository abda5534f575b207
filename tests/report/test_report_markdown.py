"""Markdown and the model card, read by parsers that are not ours: markdown-it, huggingface_hub, ruamel."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO

import pytest
from example_results import VARIANTS, example, long_names
from hostile_texts import AWKWARD, SCRIPTS, poisoned
from hypothesis import example as example_of
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from warmstart.report.forms import _markdown as md
from warmstart.report.forms import markdown, model_card
from warmstart.report.words import one_line, utf8

at_any_speed = settings(deadline=None, max_examples=60)
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {"h1", "h2", "p", "ul", "li", "strong", "code", "pre", "table", "thead", "tbody", "tr", "th", "td"}


class Text(HTMLParser):
    """The tags of an HTML text, and what a reader reads."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, text):
        self.text += text


def rendered(text):
    return Text(PARSER.render(text))


def squeezed(text):
    """Without the blanks at line ends and after references, which renderers may change."""
    return " ".join(text.split())


@pytest.mark.parametrize("text", [*SCRIPTS, *AWKWARD])
def test_a_text_is_shown_as_it_is(text):
    told = squeezed(one_line(utf8(text)))
    assert squeezed(rendered(f"a {md.inert(text)} b").text) == squeezed(f"a {told} b")
    assert squeezed(rendered(md.opening(text)).text) == told
    assert rendered(f"a {md.inert(text)} b").tags == {"p"}


texts = st.one_of(st.text(), st.text("\\`*_[](){}<>&|~#$!-+=.:/@\"'a1 \n\t"))


@at_any_speed
@given(texts)
def test_no_text_makes_markup(text):
    told = squeezed(one_line(utf8(text)))
    line, start = rendered(f"a {md.inert(text)} b"), rendered(md.opening(text))
    assert line.tags == {"p"} and start.tags <= {"p"}
    assert squeezed(line.text) == squeezed(f"a {told} b") and squeezed(start.text) == told


@at_any_speed
@given(texts, texts)
def test_no_text_leaves_its_cell(left, right):
    table = md.table(("a", "b"), [(md.inert(left), md.inert(right))])
    found = rendered(table)
    assert found.tags == {"table", "thead", "tbody", "tr", "th", "td"}
    cells = re.findall(r"<td>(.*?)</td>", PARSER.render(table), re.DOTALL)
    assert [squeezed(Text(cell).text) for cell in cells] == [
        squeezed(one_line(utf8(t))) for t in (left, right)
    ]


@at_any_speed
@given(st.text(st.sampled_from("`~\n a|")))
def test_no_text_leaves_its_code(text):
    assert rendered(f"a {md.code(text)} b").tags <= {"p", "code"}
    found = rendered(md.block(text, "sh"))
    assert found.tags == {"pre", "code"}
    lines = [one_line(line) for line in text.splitlines()]
    assert found.text.strip("\n") == "\n".join(lines).strip("\n")


def test_bare_addresses_do_not_become_links():
    """Some dialects link what looks like an address; where an escape can, it takes the look away."""
    text = md.inert("see https://evil.invalid/ or www.evil.invalid, ask a@evil.invalid, @someone")
    assert "https://" not in text and "www." not in text and re.search(r"(?<!\\)@", text) is None


@pytest.mark.parametrize("write", [markdown.text, model_card.card], ids=["report", "card"])
@pytest.mark.parametrize("texts", [SCRIPTS, AWKWARD], ids=["scripts", "awkward"])
def test_hostile_results_make_no_markup_of_their_own(write, texts):
    for turn in range(0, len(texts), 3):
        text = write(poisoned(example(classes=3, findings=5), texts, turn))
        body = text.split("\n---\n", 1)[-1]
        found = rendered(body)
        assert found.tags <= OURS
        assert found.attributes <= {"class", "style"}


def test_the_short_report_has_the_numbers():
    result = example()
    text = markdown.text(result)
    assert text.startswith("# Worth it\n\nThe full run answers 91.6 % of 500 test rows correctly")
    assert (
        f"| **full** (recommended) | 91.6 \\[{100 * result.runs['full'].metrics['accuracy'].low:.1f}" in text
    )
    assert "**+3.4 points \\[+1.6, +5.2\\]** accuracy over frozen" in text
    assert "- phase 2: everything for 8 epochs at a rate of 2e-5, decay 0.9 per group" in text
    assert "- **warning** (duplicates): 12 rows stand twice in reviews.csv. → Kept once each." in text
    assert "warmstart run reviews.csv --seed 0" in text


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_report_fits_a_pull_request(variant):
    assert len(markdown.text(VARIANTS[variant]())) < 8_000


def front(card):
    """The front matter, found as the Hub finds it."""
    found = re.match(r"^(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---(\r\n|\n|$))", card)
    return YAML(typ="safe", pure=True).load(StringIO(found[2])), card[found.end() :]


def test_the_hub_reads_the_card():
    from huggingface_hub import ModelCard

    result = example()
    data = ModelCard(model_card.card(result), ignore_metadata_errors=False).data
    assert (data.license, data.base_model) == ("apache-2.0", "hub-user/minilm-l6")
    assert (data.pipeline_tag, data.library_name) == ("text-classification", "transformers")
    assert data.metrics == ["accuracy", "f1"] and "warmstart" in data.tags
    assert data.model_name == "topics-3"
    values = {r.metric_type: r.metric_value for r in data.eval_results}
    full = result.runs["full"].metrics
    assert values["accuracy"] == full["accuracy"].value and values["log_loss"] == full["log_loss"].value
    assert all(
        r.dataset_name == "reviews.csv" and r.task_type == "text-classification" for r in data.eval_results
    )
    assert all("interval" in r.metric_name for r in data.eval_results)


@pytest.mark.parametrize("texts", [SCRIPTS, AWKWARD], ids=["scripts", "awkward"])
def test_no_text_of_the_user_changes_the_metadata(texts):
    from huggingface_hub import ModelCard

    plain = front(model_card.card(example()))[0]
    for turn in range(0, len(texts), 3):
        result = poisoned(example(), texts, turn)
        card = model_card.card(result)
        table, body = front(card)
        assert set(table) - {"license_name"} <= set(plain)
        assert table["library_name"] == "transformers" and table["tags"][:2] == ["warmstart", "fine-tuned"]
        assert table["model-index"][0]["results"][0]["dataset"]["type"] == "custom"
        assert body.lstrip().startswith("# ")
        assert ModelCard(card, ignore_metadata_errors=True).data.library_name == "transformers"


@at_any_speed
@given(texts)
@example_of("---\nlicense: mit\n---")
@example_of("\udcff\ufeff\ud800")
def test_names_come_back_from_the_metadata_as_they_were(text):
    text = text.replace("/", " ").replace("\\", " ")  # only the last part of a path is told
    result = example(classes=3, mistakes=0)
    card = model_card.card(replace(result, run=text, data=replace(result.data, source=text)))
    entry = front(card)[0]["model-index"][0]
    assert entry["name"] == entry["results"][0]["dataset"]["name"] == one_line(utf8(text))


@pytest.mark.parametrize(
    ("licence", "shown", "name"),
    [
        ("Apache-2.0", "apache-2.0", None),
        ("", "unknown", None),
        ("our own, see x", "other", "our own, see x"),
    ],
)
def test_an_unknown_licence_is_called_unknown(licence, shown, name):
    result = example()
    first = replace(result.ranking[0], licence=licence)
    table, _ = front(model_card.card(replace(result, ranking=(first, *result.ranking[1:]))))
    assert table["license"] == shown and table.get("license_name") == name


def started_from(source, tmp_path, recommended="full"):
    result = example()
    first = replace(result.ranking[0], source=source)
    plan = replace(result.plan, model=source)
    changed = replace(result, ranking=(first, *result.ranking[1:]), plan=plan, recommended=recommended)
    return front(model_card.card(changed))[0]


def test_the_base_model_is_named_only_where_the_hub_can_know_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    assert started_from("google/vit-base", tmp_path)["base_model"] == "google/vit-base"
    assert started_from("bert-base-uncased", tmp_path)["base_model"] == "bert-base-uncased"
    for local in ("models/mine", str(tmp_path), "zoo:letters", "../models/mine", "/a/b/c"):
        assert "base_model" not in started_from(local, tmp_path)
    alone = started_from("google/vit-base", tmp_path, recommended="scratch")
    assert "base_model" not in alone and alone["license"] == "unknown"


def test_a_card_does_not_tell_where_on_the_machine_the_data_lay():
    result = example()
    card = model_card.card(
        replace(result, data=replace(result.data, source="/home/someone/secret/reviews.csv"))
    )
    assert "someone" not in card and "reviews.csv" in card


def test_a_card_says_what_it_cannot_tell():
    result = example()
    unsure = replace(result.gains["frozen"], low=-0.01)
    card = model_card.card(replace(result, gains={**result.gains, "frozen": unsure}))
    assert "Whether it is better than frozen could not be told." in card
    assert "below about 3.1 points may be missed" in card
    assert "Overfitting (some): answers 7.0 points more" in card


def test_a_card_shows_how_to_use_pictures_and_texts():
    assert 'pipeline("text-classification"' in model_card.card(example())
    picture = model_card.card(example(images=True))
    assert 'pipeline("image-classification"' in picture and "photo.jpg" in picture


def test_hundreds_of_classes_do_not_fill_the_card():
    card = model_card.card(example(classes=77))
    assert "and 27 more classes." in card and len(model_card.card(long_names())) < 12_000
