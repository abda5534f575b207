"""warmstart label: which rows to label next."""

from __future__ import annotations

from typing import Annotated

import typer

from warmstart.cli import flags, frame
from warmstart.cli.predict_verb import WIDTH, short

SHOWN = 10  # rows; the file has all


def command(
    run: flags.RunFolder,
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT",
            help="Rows without labels: a table (.csv, .jsonl ...), a folder of pictures, or - for lines.",
            show_default=False,
        ),
    ],
    count: Annotated[int, typer.Option(min=1, help="Choose at most this many rows.")] = 100,
    device: flags.Device = "auto",
    as_json: flags.Json = False,
) -> None:
    """Choose the rows whose labels would teach most, into label_next.csv of the run folder."""
    from warmstart import process
    from warmstart.street.folder import run_folder
    from warmstart.street.stale import stale

    frame.warn(stale(run_folder(run)))
    rows, path = process.label(run, what, count=count, device=device)
    if as_json:
        told = ("name", "predicted", "probability", "margin", "cluster", "alike")
        frame.show_json({"file": str(path), "rows": [{k: getattr(row, k) for k in told} for row in rows]})
        return
    for row in rows[:SHOWN]:
        seen = row.value if isinstance(row.value, str) else row.name
        said = f"{row.predicted} {row.probability:.3f}, margin {row.margin:.3f}"
        frame.show_lines(f"{short(seen):<{WIDTH}}  {frame.one_line(said)}")
    if len(rows) > SHOWN:
        frame.show_lines(f"and {len(rows) - SHOWN} more")
    frame.show_lines(f"{path}: fill in the labels, and learn from them with the others")
