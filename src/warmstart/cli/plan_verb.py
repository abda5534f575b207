"""warmstart plan: decide, and stop before anything is trained."""

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
    cache_limit: flags.CacheLimit = "",
    device: Annotated[str, typer.Option("--device", hidden=True)] = "auto",
    race: Annotated[int | None, typer.Option("--race", min=0, hidden=True)] = None,
    as_json: flags.Json = False,
) -> None:
    """Rank the models and write the plan, with its reasons, to be looked at and edited."""
    given = {"models": models, "task": task, "text": text, "label": label, "group": group, "test": test}
    asked = frame.options({**given, "rows": rows, "strategy": strategy}, settings or [], race)
    from rich.syntax import Syntax

    from warmstart import process

    plan, folder = process.plan(
        data, runs=Path(out), tell=frame.listener(as_json), cache_limit=cache_limit, device=device, **asked
    )
    if as_json:
        frame.show_json({"run": str(folder), "plan": plan})
        return
    text_of_plan = (folder / "plan.yaml").read_text(encoding="utf-8")
    shown = Syntax("", "yaml", background_color="default").highlight(frame.plain(text_of_plan))
    frame.console(soft_wrap=True).print(shown, end="")
    frame.show_lines(f"go on with: warmstart run {folder}")
