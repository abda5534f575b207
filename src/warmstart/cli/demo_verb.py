"""warmstart demo: the whole street on real handwritten digits, with nothing to download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.base.tables import to_table
from warmstart.cli import flags, frame

if TYPE_CHECKING:
    from warmstart.base.result import Result


def command(
    labels: Annotated[
        list[int] | None, typer.Option("--labels", help="Labels per class to learn from. Repeat it.")
    ] = None,
    out: flags.Out = "runs",
    as_json: flags.Json = False,
) -> None:
    """Handwritten digits, few labels, three tiny pretrained models: ranked, tuned, proved. Ends with 0."""
    from pathlib import Path

    from warmstart import process
    from warmstart.report.terminal import summary

    results = process.demo(Path(out), tuple(labels or (5, 20, 100)), tell=frame.listener(as_json))
    if as_json:
        frame.show_json({**to_table(results[0]), "more": results[1:]})
        return
    frame.show(summary(results[0]))
    if len(results) > 1:
        frame.show(fading(results))


def fading(results: Sequence[Result]) -> Any:
    """The advantage of a warm start at each number of labels."""
    from rich.table import Table

    table = Table(
        title="What the warm start is worth, by rows to learn from per class", title_justify="left", box=None
    )
    columns = ("rows", "best", "accuracy", "scratch", "gain, points (95 %)", "verdict")
    for i, name in enumerate(columns):
        table.add_column(name, justify="right" if i in (0, 2, 3, 4) else "left", no_wrap=True)
    for result in results:
        best, gain = result.runs[result.recommended], result.gains.get("scratch")
        told = f"{100 * gain.value:+.1f} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})" if gain else "-"
        table.add_row(
            f"{result.data.train / len(result.data.classes):.0f}",
            result.recommended,
            f"{best.metrics['accuracy'].value:.1%}",
            f"{result.runs['scratch'].metrics['accuracy'].value:.1%}",
            told,
            result.verdict,
        )
    return table
