"""What a user sees in the terminal: on one screen, whole numbers, and nothing that takes the screen over."""

import re
from dataclasses import replace
from io import StringIO

import pytest
from example_results import VARIANTS, bare, example
from hostile_texts import AWKWARD, SCRIPTS, poisoned
from rich.cells import cell_len
from rich.console import Console

from warmstart.report.terminal import data_table, findings_list, ranking_table, summary


def seen(renderable, width=80, colours=False):
    """The lines that a terminal of this width shows."""
    out = StringIO()
    console = Console(
        file=out, width=width, force_terminal=colours, color_system="standard" if colours else None
    )
    console.print(renderable)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("variant", [*VARIANTS, "eight candidates"])
def test_the_summary_fits_one_screen(variant, width):
    make = VARIANTS.get(variant, lambda: example(candidates=8, findings=5))
    lines = seen(summary(make()), width)
    caused = any(seen_.causes for seen_ in make().overfitting.values())
    most = 42 + (make().race is not None) + 4 * caused
    assert len(lines) <= most, "a line more where there was a race, four for a cause and what to do about it"
    assert all(cell_len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("verdict", "title"),
    [
        ("worth it", "✔ Worth it"),
        ("not worth it", "✘ Not worth it"),
        ("cannot tell", "? The data cannot tell"),
    ],
)
def test_the_verdict_comes_first(verdict, title):
    assert title in seen(summary(example(verdict=verdict)))[0]


@pytest.mark.parametrize("width", [80, 100])
def test_no_number_is_cut_off(width):
    result = example(candidates=5)
    text = "\n".join(seen(summary(result), width))
    for name, run in result.runs.items():
        m = run.metrics["accuracy"]
        reading = rf"{100 * m.value:.1f} \[{100 * m.low:.1f}, {100 * m.high:.1f}\]"
        assert re.search(rf"^{'◆' if name == 'full' else ' '} {name} +{reading} .*\d( [kM])?$", text, re.M), (
            name
        )
        assert f"{run.metrics['log_loss'].value:.3f}" in text
    for model in result.ranking:
        row = f"−{-model.score:.3f} [−{-model.low:.3f}, −{-model.high:.3f}]"
        assert re.search(rf"{model.name} +{re.escape(row)} +[\d.]+ M +{model.prior}$", text, re.M), model.name
    for gain in result.gains.values():
        assert f"Gain  +{100 * gain.value:.1f} points [+{100 * gain.low:.1f}, +{100 * gain.high:.1f}]" in text
    assert "Report  runs/topics-3/report.html" in text


def test_only_the_recommended_run_is_marked():
    lines = seen(summary(example(verdict="not worth it")))
    runs = lines[next(i for i, line in enumerate(lines) if line.startswith("Runs on")) :]
    assert [line.split()[1] for line in runs if line.startswith("◆")] == ["frozen"]


def test_the_ranking_alone_shows_all_and_the_summary_five():
    result = example(candidates=8)
    alone = "\n".join(seen(ranking_table(result.ranking, result.score)))
    assert all(model.name in alone for model in result.ranking) and "more" not in alone
    assert "and 3 more in the report" in "\n".join(seen(summary(result)))


def test_findings_say_what_to_do_and_where():
    lines = seen(findings_list(example(findings=5).findings))
    assert lines[:3] == [
        "▲ 12 rows stand twice in reviews.csv.",
        "  → Kept once each.",
        "  reviews.csv:88, reviews.csv:413",
    ]
    assert seen(findings_list(())) == ["Nothing was found that needs your attention."]


def test_places_beyond_the_third_are_counted():
    many = replace(example().findings[0], count=12, where=tuple(f"a.csv:{i}" for i in range(9)))
    assert seen(findings_list((many,)))[-1] == "  a.csv:0, a.csv:1, a.csv:2 and 9 more"


def test_warnings_come_before_notes_in_the_summary():
    result = example(findings=4)
    lines = seen(summary(replace(result, findings=result.findings[::-1])))
    start = next(i for i, line in enumerate(lines) if line.startswith("Findings"))
    assert [line.strip()[0] for line in lines[start + 1 : start + 4]] == ["▲", "▲", "○"]


def test_the_data_table_counts_rows_of_each_split():
    data = example().data
    text = "\n".join(seen(data_table(data)))
    first = data.classes[0]
    assert re.search(rf"^{first.label} +{first.train} +{first.validation} +{first.test}$", text, re.M)
    assert f"{data.rows:,} rows: {data.train:,} train" in text and "text = headline" in text
    assert "and 57 more classes" in "\n".join(seen(data_table(example(classes=77).data)))


def test_a_run_without_rivals_still_has_a_summary():
    text = "\n".join(seen(summary(bare())))
    assert "Gain" not in text and "Findings  none" in text


@pytest.mark.parametrize("texts", [SCRIPTS, AWKWARD], ids=["scripts", "awkward"])
def test_no_text_of_the_user_controls_the_terminal(texts):
    """Colours are on, so escapes come from rich alone: only those that set colours."""
    for turn in range(0, len(texts), 2):
        result = poisoned(example(classes=3, findings=5), texts, turn)
        for part in (
            summary(result),
            ranking_table(result.ranking, result.score),
            findings_list(result.findings),
            data_table(result.data),
        ):
            text = "\n".join(seen(part, 100, colours=True))
            bare_text = re.sub(r"\x1b\[[\d;]*m", "", text)
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", bare_text)
            assert "\x1b[31mred" not in text and text.encode("utf-8")


def test_markup_of_the_terminal_library_is_text():
    finding = replace(
        example().findings[0], what="[bold red]not markup[/] [link=https://evil.invalid/]x[/link]"
    )
    text = "\n".join(seen(findings_list((finding,)), 120, colours=True))
    assert "[bold red]not markup[/]" in text and "\x1b]8" not in text
