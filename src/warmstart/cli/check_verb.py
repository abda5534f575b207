"""warmstart check: look at the data only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli import flags, frame

if TYPE_CHECKING:
    from rich.console import RenderableType

    from warmstart.data.clean import Cleaned

TROUBLE = 2  # exit code with --strict
PLACES, LEFT = 20, 10  # lines of places, and of what was left alone
LEVELS = ("warning", "note")

Fix = Annotated[
    str, typer.Option(metavar="FOLDER", help="Write a cleaned copy of the data into this new folder.")
]
Strict = Annotated[bool, typer.Option("--strict", help="End with 2 if there is a warning.")]
From = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        metavar="MODEL",
        help="Also look for wrong labels with this model; 'default' is what a run would take. Repeat it.",
    ),
]


def command(
    data: flags.Data,
    models: From = None,
    text: flags.Text = "",
    label: flags.Label = "",
    group: flags.Group = "",
    test: flags.Test = "",
    rows: flags.Rows = 0,
    settings: flags.Set = None,
    fix: Fix = "",
    strict: Strict = False,
    as_json: flags.Json = False,
) -> None:
    """Read the data, find out what its columns are, split it and look for trouble. Trains nothing."""
    given = {"models": models, "text": text, "label": label, "group": group, "test": test, "rows": rows}
    asked = frame.options(given, settings or [])
    import tempfile

    from warmstart import process
    from warmstart.data.bundle import summary

    with tempfile.TemporaryDirectory() as folder:
        runs, listener = Path(folder) if fix else None, frame.listener(as_json)
        try:
            bundle = process.check(data, runs=runs, tell=listener, **asked)
            place = next((p.parent for p in Path(folder).glob("*/run.json")), None)
            done = process.clean(data, fix, checked=place, **asked) if fix else None
        except KeyboardInterrupt:  # there is no folder to go on with
            raise KeyboardInterrupt from None
        told = summary(bundle)
    numbers = {level: sum(f.level == level for f in bundle.findings) for level in LEVELS}
    if as_json:
        cleaned = {"cleaned": as_table(done)} if done else {}
        found = {"task": bundle.task, "data": told, "findings": bundle.findings, "numbers": numbers}
        frame.show_json({**found, **cleaned})
    else:
        show(told, bundle.findings, numbers, done)
    if strict and numbers["warning"]:
        raise typer.Exit(TROUBLE)


def show(told: Any, findings: Any, numbers: dict[str, int], done: Cleaned | None) -> None:
    from rich.console import Group
    from rich.text import Text

    from warmstart.report.terminal import data_table, findings_list
    from warmstart.report.words import count

    first = ", ".join(f"{count(n)} {level}{'s' * (n != 1)}" for level, n in numbers.items())
    parts: list[RenderableType] = [data_table(told), Text(first, "bold"), findings_list(findings, PLACES)]
    frame.show(Group(*parts))
    if done:
        frame.show_lines("\n".join(copied(done)))


def copied(done: Cleaned) -> list[str]:
    """What was written, changed and left alone, in lines."""
    from collections import Counter

    from warmstart.data.clean import CHANGES

    numbers = Counter((change.what, change.check) for change in done.changes)
    numbers.update({("left out", "cannot be read"): len(done.lost)} if done.lost else {})
    lines = [f"cleaned copy: {', '.join(map(str, done.files))}"]
    lines += [f"  {number:,} {what} ({check})" for (what, check), number in numbers.items()]
    lines += [
        f"  {done.files[0].parent / CHANGES} names each of them" if numbers else "  nothing was changed"
    ]
    lines += [f"  left alone: {frame.one_line(what)}: {why}" for what, why in done.left[:LEFT]]
    lines += [f"  and {len(done.left) - LEFT} more were left alone"] if len(done.left) > LEFT else []
    return lines


def as_table(done: Cleaned) -> dict[str, Any]:
    told = ("where", "what", "check", "why", "before", "after")
    changes = [{name: getattr(change, name) for name in told} for change in done.changes]
    return {
        "files": [str(file) for file in done.files],
        "changes": changes,
        "lost": [{"where": place, "why": why} for place, why in done.lost],
        "left": [{"what": what, "why": why} for what, why in done.left],
    }
