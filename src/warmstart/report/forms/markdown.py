"""report.md: the verdict, the runs, the gains, the plan and the findings, short enough for a pull request."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from warmstart.base.files import write_text
from warmstart.base.result import Result
from warmstart.report import calibrated, forgotten, overfitted, probed, seeds, ticks
from warmstart.report.forms import _markdown as md
from warmstart.report.units import metric
from warmstart.report.words import (
    VERDICTS,
    after_verdict,
    capital,
    clock,
    count,
    moment,
    part,
    recommendation,
    training,
)


@dataclass(frozen=True)
class Markdown:
    """The report in one screen of markdown."""

    file: ClassVar[str] = "report.md"

    def write(self, result: Result, folder: Path) -> Path:
        """Write `folder`/report.md, whole or not at all, and return its path."""
        path = folder / self.file
        write_text(path, text(result))
        return path


def text(result: Result) -> str:
    """The report as markdown."""
    parts = [
        _verdict(result),
        _runs(result),
        _seeds(result),
        _gains(result),
        _probed(result),
        _overfitting(result),
        _plan(result),
        _findings(result),
        _proofs(result),
        _again(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(result: Result) -> str:
    kind = metric(result.primary)
    so = md.inert(recommendation(result.recommended, result.why.so))
    why = f"{so} ({md.inert(result.why.rule)}: {md.inert(result.why.saw)})"
    least = f"differences in {md.inert(kind.title)} from about {md.inert(kind.gap(result.detectable))} up"
    return (
        f"# {md.inert(VERDICTS.get(result.verdict, result.verdict))}\n\n"
        f"{md.opening(after_verdict(result.verdict, result.headline))}\n\n"
        f"Recommended: {why}. "
        f"True {least} are likely to show on these test rows."
    )


def _runs(result: Result) -> str:
    rows = f"{count(result.data.test)} test rows" if result.data.test else "the test rows"
    return f"## Runs on {rows}\n\n{md.runs_table(result)}"


def _seeds(result: Result) -> str:
    return f"## Over {result.seeds} seeds\n\n{md.seeds_table(result)}" if seeds.several(result) else ""


def _gains(result: Result) -> str:
    if not result.gains:
        return ""
    lines = md.bullets(map(md.gain_line, result.gains.values()))
    return f"## Gains of {md.inert(result.recommended)}\n\n{lines}"


def _probed(result: Result) -> str:
    """What labels and pretrained weights are worth, where that was asked for."""
    parts = []
    if result.labels:
        parts += [
            "## Labels",
            md.bullets(md.inert(capital(s)) for s in probed.label_sentences(result.labels)),
        ]
    if result.weights:
        told = probed.weight_sentences(result.weights)
        parts += ["## Pretrained weights", md.bullets(md.inert(capital(s)) for s in told)]
    if result.forgetting:
        told = forgotten.sentences(result.forgetting)
        parts += ["## Forgetting", md.bullets(md.inert(capital(s)) for s in told)]
    return "\n\n".join(parts)


def _overfitting(result: Result) -> str:
    """How far the recommended run overfits, why, what to do; and whether to believe its probabilities."""
    lines = []
    if seen := result.overfitting.get(result.recommended):
        lines.append(f"Overfitting, {seen.verdict}: {seen.sentence}")
        lines += [f"{cause.name}: {cause.why}; {cause.do}" for cause in seen.causes]
    if result.random_labels:
        lines += map(capital, overfitted.control(result.random_labels))
    if result.calibration:
        lines.append(f"Calibration: {calibrated.in_short(result.calibration)}")
    return f"## Overfitting and calibration\n\n{md.bullets(map(md.inert, lines))}" if lines else ""


def _plan(result: Result) -> str:
    plan = result.plan
    start = f" from {md.inert(plan.model)}" if plan.model else ""
    lines = [f"phase {i}: {md.inert(training(phase))}" for i, phase in enumerate(plan.phases, 1)]
    lines += [f"edit: {md.inert(part(edit))}" for edit in plan.edits]
    lines += [f"guard: {md.inert(part(guard))}" for guard in plan.guards]
    lines += [f"because {md.inert(r.so)} ({md.inert(r.rule)}: {md.inert(r.saw)})" for r in plan.reasons]
    return f"## Plan: {md.inert(plan.strategy)}{start}\n\n{md.bullets(lines)}"


def _findings(result: Result) -> str:
    return f"## Findings\n\n{md.bullets(map(md.finding_line, result.findings)) or 'None.'}"


def _proofs(result: Result) -> str:
    """How many promises were kept, and each that was not."""
    if not result.ticks:
        return ""
    broken = md.bullets(f"**failed**: {md.inert(ticks.said(p))}" for p in ticks.failed(result.ticks))
    return f"## Proofs\n\n{ticks.tally(result.ticks)}." + (f"\n\n{broken}" if broken else "")


def _again(result: Result) -> str:
    when = f"on {md.inert(moment(result.created))} in {clock(result.seconds)}"
    command = md.block(result.reproduce.command, "sh")
    return f"## Do it again\n\n{command}\n\nMade by warmstart {md.inert(result.version)} {when}."


FORM = Markdown
