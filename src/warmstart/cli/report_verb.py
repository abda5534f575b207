"""warmstart report: write the pages of a finished run again."""

from typing import Annotated

import typer

from warmstart.cli import flags, frame


def command(
    run: flags.RunFolder,
    form: Annotated[str, typer.Option(help="html, json, markdown or model_card.")] = "html",
    as_json: flags.Json = False,
) -> None:
    """Write the report of a finished run again from its result.json, and say where it is."""
    from warmstart.street.folder import run_folder
    from warmstart.street.pages import write_again
    from warmstart.street.stale import stale

    result, path = write_again(run, form)
    frame.warn(stale(run_folder(run)))
    if as_json:
        frame.show_json(result)
    else:
        frame.show_lines(str(path))
