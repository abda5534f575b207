"""Proofs in words: how many hold, each that fails, and marks that say the same on every page."""

from dataclasses import replace
from io import StringIO

from example_results import example
from rich.console import Console

from warmstart.base.types import Proof
from warmstart.report import ticks
from warmstart.report.forms.html import page
from warmstart.report.forms.markdown import text
from warmstart.report.terminal import summary

HELD = Proof("one", True, "One promise: kept (full)", 4.71e-8, 1e-4)
IDLE = Proof("two", None, "Another: does not apply, there are no adapters")
BROKEN = Proof("three", False, "A third: 3 rows <b>in</b> both (full)", 3, 0)
NO_NUMBER = Proof("four", False, "A fourth: of it (full)", None, 0.5)


def shown(result):
    out = StringIO()
    Console(file=out, width=80).print(summary(result))
    return out.getvalue()


def test_the_tally_counts_what_holds_of_what_applies():
    assert ticks.tally((HELD, HELD)) == "2 of 2 hold"
    assert ticks.tally((HELD, IDLE)) == "1 of 1 hold, 1 does not apply"
    assert ticks.tally((HELD, BROKEN, IDLE, IDLE)) == "1 of 2 hold, 2 do not apply"


def test_a_proof_is_said_with_its_number_and_its_bound():
    assert ticks.said(HELD) == "One promise: kept (full); 4.7e-8, at most 0.0001"
    assert ticks.said(BROKEN) == "A third: 3 rows <b>in</b> both (full); 3, at most 0"
    assert ticks.said(NO_NUMBER) == "A fourth: of it (full); no number, at most 0.5"
    assert ticks.said(IDLE) == IDLE.what


def test_the_terminal_has_one_line_and_one_more_for_each_that_fails():
    whole = shown(replace(example(), ticks=(HELD, IDLE)))
    assert "Proofs  1 of 1 hold, 1 does not apply\n" in whole
    assert "One promise" not in whole and "Another" not in whole
    broken = shown(replace(example(), ticks=(HELD, BROKEN, IDLE)))
    assert "Proofs  1 of 2 hold" in broken
    assert "✘ A third: 3 rows <b>in</b> both (full); 3, at most 0" in broken
    assert "Proofs" not in shown(replace(example(), ticks=()))


def test_the_page_has_a_row_for_each_proof_with_a_mark_for_each_run():
    runs = {
        "full": replace(example().runs["full"], ticks=(HELD, BROKEN, IDLE)),
        "scratch": replace(example().runs["full"], ticks=(HELD, replace(BROKEN, holds=True, seen=0), IDLE)),
    }
    html = page(replace(example(), runs=runs, ticks=(HELD, BROKEN, IDLE)))
    table = html[html.index('<table class="ticks">') :].split("</table>")[0]
    rows = [row.split("</tr>")[0] for row in table.split("<tr>")[2:]]
    assert [[row.count(word) for word in (">holds<", ">fails<", ">does not apply<")] for row in rows] == [
        [3, 0, 0],
        [1, 2, 0],
        [0, 0, 3],
    ]
    assert "3 rows &lt;b&gt;in&lt;/b&gt; both" in table


def test_the_short_report_names_what_fails_alone():
    said = text(replace(example(), ticks=(HELD, BROKEN)))
    assert "## Proofs\n\n1 of 2 hold.\n\n- **failed**: A third" in said
    assert "One promise" not in said
    assert "Proofs" not in text(replace(example(), ticks=()))
