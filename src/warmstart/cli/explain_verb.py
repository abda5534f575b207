"""warmstart explain: what a plan would do, or what a part is for."""

from typing import Annotated

import typer

from warmstart.cli import flags, frame


def command(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT", help="A plan.yaml, a run folder, or the name of a part.", show_default=False
        ),
    ],
    as_json: flags.Json = False,
) -> None:
    """Say in order what a plan does, or what a strategy, guard, score or other part is for."""
    from warmstart.cli.explaining import explain

    told = explain(what)
    if as_json:
        frame.show_json({"explained": what, "text": told})
    else:
        frame.show_lines(told)
