"""What a user sees at the end of a run: the verdict and what it stands on, on one screen of 80 columns."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from warmstart.base.result import DataSummary, RankedModel, Result
from warmstart.base.types import Finding, Proof, Race
from warmstart.report import calibrated, forgotten, overfitted, probed, seeds, ticks
from warmstart.report.units import PERCENT, PLAIN, UNMEASURED, metric
from warmstart.report.words import (
    VERDICTS,
    after_verdict,
    amount,
    clock,
    count,
    finish,
    hindsight,
    one_line,
    rate,
    recommendation,
    short,
    size,
    spoken,
    training,
    unaided,
    utf8,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

MODELS, RUNS, REASONS, GAINS, FINDINGS, CLASSES, PLACES = 5, 5, 2, 4, 3, 20, 3  # as many as fit on a screen
LISTED = 5  # places that a finding has at least, where it is about more rows
_VERDICT = {"worth it": ("✔", "green"), "not worth it": ("✘", "red"), "cannot tell": ("?", "yellow")}
_LEVEL = {"warning": ("▲", "yellow"), "note": ("○", "cyan")}
_CHOSEN = "◆"


def summary(result: Result) -> "RenderableType":
    """The whole result in about 40 lines: verdict, models, plan, runs, gains, doubts, where the report is."""
    from rich.console import Group

    parts: list[RenderableType] = [_verdict(result)]
    if result.ranking:
        parts += [ranking_table(result.ranking, result.score, MODELS, result.race)]
        parts += (
            [_said(f"without a network, {unaided(b)}", "dim", cut=True)] if (b := result.baseline) else []
        )
        parts += [
            _said(f"Race: {r.so}", cut=True) for r in hindsight(result.race, "runner-up" in result.runs)
        ]
        parts += [_line("")]
    parts += [
        *_plan(result),
        _line(""),
        _runs_table(result),
        *_seeds(result),
        _line(""),
        *_gains(result),
        *_overfitting(result),
        *_calibration(result),
        *_probed(result),
    ]
    parts += [
        *_proofs(result.ticks),
        *_top_findings(result.findings),
        _line("Report", f"{result.run}/report.html"),
    ]
    return Group(*parts)


def ranking_table(
    ranked: Sequence[RankedModel], score: str, most: int | None = None, race: Race | None = None
) -> "Table":
    """Models (all, or the first `most`): score with interval, size, place before any row was looked at."""
    table = _table(f"Models by {spoken(score)} (higher is better)")
    for name in ("model", "score", "parameters", "prior"):
        table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
    for i, model in enumerate(ranked[:most]):
        table.add_row(
            _name(model.name, 30, i == 0),
            _said(PLAIN.reading(model.score, model.low, model.high) if model.scored else UNMEASURED),
            amount(model.parameters),
            str(model.prior),
        )
    raced = by_race(race)
    said = [
        raced if most is None or not raced else "",
        "" if raced else for_size(ranked),
        f"and {len(ranked) - most} more in the report" if most and len(ranked) > most else "",
    ]
    if any(said):
        table.caption = _said("; ".join(filter(None, said)), "dim")
    return table


def known_table(ranked: Sequence[RankedModel]) -> "Table":
    """What is known of all models beside their scores: size, pace, licence, what they were made for."""
    table = _table("What is known of them")
    for name in ("model", "on disk", "s/1,000"):
        table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
    for name in ("licence", "made for"):
        table.add_column(name)
    for i, model in enumerate(ranked):
        table.add_row(
            _name(model.name, 24, i == 0),
            size(model.bytes),
            rate(float(f"{model.pace:.2g}")) if model.pace else "",
            _said(short(model.licence or "unknown", 20)),
            _said(short(model.source_task or "unknown", 40)),
        )
    table.caption = _said("s/1,000: seconds in which the features of 1,000 rows are read here", "dim")
    return table


def race_table(race: Race) -> "Table":
    """The entrants in the order that they came in, as they were judged in their last lap."""
    table = _table("The race: short trainings, judged on training rows that taught none of them")
    for title in ("model", "rows", "right, %", "log-loss behind"):
        table.add_column(title, justify="left" if title == "model" else "right", no_wrap=True)
    for one in finish(race):
        name = _name(one.name, 24, one == race.winner)
        if not one.laps:
            table.add_row(name, "", "not trained", "")
            continue
        lap = one.laps[-1]
        right = PERCENT.interval(lap.accuracy.low, lap.accuracy.high)
        behind = PLAIN.reading(b.value, b.low, b.high, signed=True) if (b := lap.behind) else "best"
        table.add_row(name, count(lap.rows), f"{PERCENT.show(lap.accuracy.value)} {right}", behind)
    return table


def by_race(race: Race | None) -> str:
    """That the order of the first is that of a race; nothing where there was none."""
    tried = [one for one in race.entrants if not one.failed] if race else []
    return f"the first {len(tried)} stand in the order of their race" if len(tried) > 1 else ""


def for_size(ranked: Sequence[RankedModel]) -> str:
    """That the first is not the one with the best score, and why; nothing where it is."""
    best = max((m for m in ranked if m.scored), key=lambda model: model.score, default=None)
    if best is None or best.score <= ranked[0].score:
        return ""
    first, other = (short(one_line(m.name), 30) for m in (ranked[0], best))
    return f"{first} is chosen for size: these rows cannot tell it from {other}"


def findings_list(findings: Sequence[Finding], places: int = PLACES) -> "RenderableType":
    """All findings: what, how to put it right, and the first places."""
    from rich.console import Group

    if not findings:
        return _said("Nothing was found that needs your attention.", "green")
    return Group(*(line for finding in findings for line in _finding(finding, places)))


def data_table(data: DataSummary) -> "RenderableType":
    """What was read: size, roles, rows of the first classes in each split, sample rows."""
    from rich.console import Group

    splits = ((data.train, "train"), (data.validation, "validation"), (data.test, "test"))
    sizes = ", ".join(f"{count(rows)} {name}" for rows, name in splits)
    roles = ", ".join(f"{role} = {column}" for role, column in data.roles.items())
    lines = [_line(data.source, f"{count(data.rows)} rows: {sizes}"), _line("Roles", roles)]
    return Group(*lines, _class_table(data), *map(_sample, data.sample))


def _class_table(data: DataSummary) -> "Table":
    table = _table("Rows of each class")
    table.add_column("class", no_wrap=True, overflow="ellipsis")
    for name in ("train", "validation", "test"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in data.classes[:CLASSES]:
        label = _said(short(one_line(row.label), 40))
        table.add_row(label, count(row.train), count(row.validation), count(row.test))
    if len(data.classes) > CLASSES:
        table.caption = _said(f"and {len(data.classes) - CLASSES} more classes", "dim")
    return table


def _sample(row: dict[str, str]) -> "Text":
    values = (f"{role}: {short(one_line(value), 60)}" for role, value in row.items())
    return _said("  ".join(values), "dim", cut=True)


def _verdict(result: Result) -> "RenderableType":
    from rich.console import Group
    from rich.panel import Panel

    mark, colour = _VERDICT.get(result.verdict, ("?", "yellow"))
    title = _said(f"{mark} {VERDICTS.get(result.verdict, result.verdict)}", f"bold {colour}")
    least = metric(result.primary).gap(result.detectable)
    body = Group(
        _said(after_verdict(result.verdict, result.headline), "bold"),
        _said(f"Recommended: {recommendation(result.recommended, result.why.so)}", cut=True),
        _said(f"Likely to show: true differences from {least} up", "dim", cut=True),
    )
    return Panel(body, title=title, title_align="left", border_style=colour, padding=(0, 1))


def _plan(result: Result) -> list["Text"]:
    plan = result.plan
    start = f" from {short(one_line(plan.model), 40)}" if plan.model else ""
    steps = "; then ".join(map(training, plan.phases))
    reasons = [_said(f"because {r.so} ({r.saw})", "dim", cut=True, indent=2) for r in plan.reasons[:REASONS]]
    return [_line("Plan", f"{plan.strategy}{start}"), _said(steps, cut=True, indent=2), *reasons]


def _runs_table(result: Result) -> "Table":
    """The recommended run and its rivals, as many as fit."""
    table = _table("Runs on the test rows")
    others = [name for name in ("macro_f1", "log_loss") if name != result.primary]
    titles = ("run", metric(result.primary).axis, *(metric(n).title for n in others), "time", "trained")
    for title in titles:
        table.add_column(_said(title), justify="left" if title == "run" else "right", no_wrap=True)
    for name in sorted(result.runs, key=lambda name: name != result.recommended)[:RUNS]:
        table.add_row(*_run_row(result, name, others))
    notes = [f"{name} is {run.baseline}" for name, run in result.runs.items() if run.baseline]
    notes += [f"{name} is {short(one_line(run.start), 40)}" for name, run in result.runs.items() if run.start]
    notes += [f"and {len(result.runs) - RUNS} more in the report"] if len(result.runs) > RUNS else []
    if notes:
        table.caption = _said("; ".join(notes), "dim")
    return table


def _run_row(result: Result, name: str, others: Sequence[str]) -> Iterable["str | Text"]:
    run = result.runs[name]
    unit, first = metric(result.primary).unit, run.metrics.get(result.primary)
    yield _name(name, 12, name == result.recommended)
    yield _said(f"{unit.show(first.value)} {unit.interval(first.low, first.high)}" if first else "")
    for other in others:
        measure = run.metrics.get(other)
        yield metric(other).unit.show(measure.value) if measure else ""
    yield clock(run.seconds)
    yield amount(run.trained_parameters)


def _seeds(result: Result) -> list["Text"]:
    """The spread of every run over its seeds, and which of them is shipped."""
    if not seeds.several(result):
        return []
    spreads = ", ".join(f"{name} {seeds.spread(result, run)}" for name, run in seeds.arms(result))
    lines = [_line(f"Spread over {result.seeds} seeds", spreads)]
    return [*lines, _line("Shipped", seeds.shipped_in_short(result))] if result.shipped else lines


def _gains(result: Result) -> list["Text"]:
    lines = []
    for gain in list(result.gains.values())[:GAINS]:
        kind = metric(gain.metric)
        reading = kind.difference.reading(gain.value, gain.low, gain.high, signed=True)
        lines.append(_line("Gain", f"{reading} {kind.title} over {gain.rival}, {seeds.certainty(gain)}"))
    return lines


def _overfitting(result: Result) -> list["Text"]:
    seen = result.overfitting.get(result.recommended)
    lines = [_line("Overfitting", f"{seen.verdict}: {seen.sentence}")] if seen else []
    if do := overfitted.next_step(seen):
        lines.append(_said(f"→ {do}", indent=2))
    control = overfitted.control(result.random_labels) if result.random_labels else ()
    return lines + [_line("By heart", sentence) for sentence in control]


def _calibration(result: Result) -> list["Text"]:
    known = result.calibration
    return [_line("Calibration", calibrated.in_short(known))] if known else []


def _probed(result: Result) -> list["Text"]:
    """A line for each thing that labels are worth, and one for the weights."""
    told = [("Labels", s) for s in probed.labels_in_short(result.labels)] if result.labels else []
    told += [("Weights", probed.weights_in_short(result.weights))] if result.weights else []
    told += [("Forgetting", sentence) for sentence in forgotten.in_short(result)]
    return [_line(name, sentence) for name, sentence in told]


def _top_findings(findings: Sequence[Finding]) -> list["Text"]:
    """How many, and the first three, warnings before notes."""
    rest = ", see the report" if len(findings) > FINDINGS else ""
    first = sorted(findings, key=lambda f: f.level != "warning")[:FINDINGS]
    lines = [_said(f"{_LEVEL.get(f.level, _LEVEL['note'])[0]} {f.what}", cut=True, indent=2) for f in first]
    return [_line("Findings", f"{len(findings) or 'none'}{rest}"), *lines]


def _proofs(found: Sequence[Proof]) -> list["Text"]:
    """How many promises were kept, and each that was not."""
    if not found:
        return []
    broken = [_said(f"✘ {ticks.said(proof)}", "red", indent=2) for proof in ticks.failed(found)]
    return [_line("Proofs", ticks.tally(found)), *broken]


def _finding(finding: Finding, places: int) -> Iterable["Text"]:
    mark, colour = _LEVEL.get(finding.level, _LEVEL["note"])
    yield _said(f"{mark} {finding.what}", colour)
    yield _said(f"→ {finding.do}", indent=2)
    if finding.where:
        shown = finding.where[:places]
        beyond = finding.count - len(shown)
        rest = f" and {beyond:,} more" if beyond > 0 and len(finding.where) >= min(places, LISTED) else ""
        yield _said(f"{', '.join(shown)}{rest}", "dim", indent=2)


def _table(title: str) -> "Table":
    from rich import box
    from rich.table import Table

    return Table(
        title=_said(title, "bold"),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        header_style="dim",
    )


def _name(name: str, width: int, chosen: bool) -> "Text":
    """A name in a table's first column, with the mark of the chosen one."""
    text = short(one_line(name), width)
    return _said(f"{_CHOSEN} {text}", "bold") if chosen else _said(text, indent=2)


def _line(name: str, told: str = "") -> "Text":
    """A line that begins with a name in bold."""
    from rich.text import Text

    return Text.assemble(_said(name, "bold"), "  " if told else "", _said(told))


def _said(text: str, style: str = "", cut: bool = False, indent: int = 0) -> "Text":
    """`text` without terminal escapes, and no markup is read in it; `cut` keeps it on one line."""
    from rich.text import Text

    clean = " " * indent + one_line(utf8(text))
    return Text(clean, style=style, no_wrap=cut, overflow="ellipsis" if cut else "fold")
