"""Markdown in which the user's words stay words: none becomes markup, a link, a picture or a table."""

import re
from collections.abc import Iterable, Sequence

from warmstart.base.result import Result
from warmstart.base.types import Finding, Gain
from warmstart.report import seeds
from warmstart.report.panels import metrics
from warmstart.report.units import metric
from warmstart.report.words import amount, clock, count, one_line, utf8

# ":" and "@" and "." make bare links; the others emphasis, code, tables, formulas.
_MARKS = re.compile(r"[\\`*_\[\]|~#$!@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_START = re.compile(
    r"^(?:[-+=]|\d+(?=[.)]))"
)  # at the start of a line these make a list, a heading or a rule


def inert(text: str) -> str:
    """`text` on one line, so escaped that markdown shows it as it is inside a line or a cell."""
    line = _MARKS.sub(lambda m: "\\" + m[0], one_line(utf8(text)).replace("&", "&amp;"))
    return line.replace("<", "&lt;").replace(">", "&gt;")


def opening(text: str) -> str:
    """`inert(text)` for the start of a line, where dashes and numbers would begin a list."""
    return _START.sub(lambda m: m[0] + "\\" if m[0].isdigit() else "\\" + m[0], inert(text))


def code(text: str) -> str:
    """A code span, not for tables: its quotes are longer than any in `text`."""
    line = one_line(utf8(text))
    marks = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{marks} {line} {marks}" if "`" in line or not line else f"{marks}{line}{marks}"


def block(text: str, language: str = "") -> str:
    """A fenced block; the fence is longer than any run of backticks in `text`."""
    lines = "\n".join(one_line(line) for line in utf8(text).splitlines())
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", lines)), default=0))
    return f"{fence}{language}\n{lines}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """A table of cells that are markdown already; columns with numbers in `right` are set to the right."""
    ends = set(right)
    rule = ["---:" if i in ends else "---" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def runs_table(result: Result) -> str:
    """The runs with every measure and its interval; the recommended one is bold."""
    names = metrics(result)
    head = ["run", *(inert(metric(n).axis) for n in names), "time", "trained parameters"]
    return table(head, [_run_row(result, name, names) for name in result.runs], range(1, len(head)))


def _run_row(result: Result, name: str, names: Sequence[str]) -> list[str]:
    run = result.runs[name]
    measures = [(metric(n).unit, run.metrics.get(n)) for n in names]
    cells = [f"{u.show(m.value)} {inert(u.interval(m.low, m.high))}" if m else "" for u, m in measures]
    title = f"**{inert(name)}** (recommended)" if name == result.recommended else inert(name)
    title += f": {inert(run.baseline)}" if run.baseline else ""
    title += f": from {inert(run.start)}" if run.start else ""
    return [title, *cells, clock(run.seconds), amount(run.trained_parameters)]


def seeds_table(result: Result) -> str:
    """The runs over their seeds, with what each seed's model reaches; and which one is shipped."""
    numbers = [str(one.seed) for _, run in seeds.arms(result) for one in run.seeds]
    head = ["run", "mean", "spread", *(f"seed {number}" for number in dict.fromkeys(numbers))]
    rows = [
        [inert(cell) for cell in (name, seeds.mean(result, run), seeds.spread(result, run))]
        + [inert(reading) for _, reading in seeds.each(result, run)]
        for name, run in seeds.arms(result)
    ]
    told = [f"{seeds.explained(result)}.", seeds.shipped(result)]
    words = " ".join(inert(text if text.endswith(".") else f"{text}.") for text in told if text)
    return f"{words}\n\n{table(head, rows, range(1, len(head)))}"


def gain_line(gain: Gain) -> str:
    """One gain as a sentence: "+3.4 points [+1.6, +5.2] accuracy over frozen (p = 0.010, 500 rows)"."""
    kind = metric(gain.metric)
    reading = inert(kind.difference.reading(gain.value, gain.low, gain.high, signed=True))
    certainty = f"{inert(seeds.certainty(gain))}, {count(gain.n)} rows"
    return f"**{reading}** {inert(kind.title)} over {inert(gain.rival)} ({certainty})"


def finding_line(finding: Finding) -> str:
    return f"**{inert(finding.level)}** ({inert(finding.check)}): {inert(finding.what)} → {inert(finding.do)}"


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
