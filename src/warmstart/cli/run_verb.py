"""warmstart run: the whole street."""

from pathlib import Path
from typing import Annotated

import typer

from warmstart.cli import flags, frame


def command(
    data: flags.Data,
    models: flags.From = None,
    task: flags.Task = "",
    text: flags.Text = "",
    label: flags.Label = "",
    group: flags.Group = "",
    test: flags.Test = "",
    rows: flags.Rows = 0,
    strategy: flags.Strategy = "",
    settings: flags.Set = None,
    out: flags.Out = "runs",
    as_json: flags.Json = False,
    exit_code: flags.ExitCode = False,
    allow_change: Annotated[bool, typer.Option("--allow-change", hidden=True)] = False,
    cache_limit: Annotated[str, typer.Option("--cache-limit", hidden=True)] = "",
    processes: Annotated[int, typer.Option("--processes", min=1, hidden=True)] = 1,
    shard: Annotated[bool, typer.Option("--shard", hidden=True)] = False,
    device: Annotated[str, typer.Option("--device", hidden=True)] = "auto",
    race: Annotated[int | None, typer.Option("--race", min=0, hidden=True)] = None,
    budget: Annotated[str, typer.Option("--budget", metavar="TIME", hidden=True)] = "",
    seeds: Annotated[int, typer.Option("--seeds", min=0, hidden=True)] = 0,
    retain: Annotated[str, typer.Option("--retain", metavar="DATA", hidden=True)] = "",
    max_forgetting: Annotated[str, typer.Option("--max-forgetting", metavar="LIMIT", hidden=True)] = "",
) -> None:
    """Select, decide, adapt, tune, evaluate and report: the whole street."""
    given = {"models": models, "task": task, "text": text, "label": label, "group": group, "test": test}
    wished = {"strategy": strategy, "seeds": seeds, "budget": budget}
    wished |= {"retain": retain, "max_forgetting": max_forgetting}
    asked = frame.options({**given, "rows": rows, **wished}, settings or [], race)
    from warmstart import process
    from warmstart.report.terminal import summary

    result = process.run(
        data,
        runs=Path(out),
        tell=frame.listener(as_json),
        allow_change=allow_change,
        cache_limit=cache_limit,
        processes=processes,
        shard=shard,
        device=device,
        **asked,
    )
    if as_json:
        frame.show_json(result)
    else:
        frame.show(summary(result))
    if exit_code:
        raise typer.Exit(frame.VERDICT_CODES[result.verdict])
