"""warmstart predict: a finished run answers."""

from typing import Annotated

import typer

from warmstart.cli import flags, frame

WIDTH = 60  # letters of what was asked about


def command(
    run: flags.RunFolder,
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT",
            help="A text, a picture, or a table of texts (.csv, .jsonl ...).",
            show_default=False,
        ),
    ],
    top: Annotated[int, typer.Option(help="Show this many labels of each; --json has all.", min=1)] = 3,
    as_json: flags.Json = False,
) -> None:
    """Labels with probabilities for texts, pictures, or every row of a file."""
    from warmstart import process
    from warmstart.street.folder import run_folder
    from warmstart.street.stale import stale

    frame.warn(stale(run_folder(run)))
    answers = process.predict(run, what)
    if as_json:
        table = [
            {"input": name, "labels": [{"label": a, "probability": p} for a, p in said]}
            for name, said in answers
        ]
        frame.show_json(table)
        return
    for name, said in answers:
        line = "  ".join(f"{label} {probability:.3f}" for label, probability in said[:top])
        frame.show_lines(f"{short(name):<{WIDTH}}  {frame.one_line(line)}")


def short(name: str) -> str:
    """One line of at most WIDTH letters: of a long path the end tells more, of a text the beginning."""
    line = frame.one_line(name)
    return line if len(line) <= WIDTH else f"{line[:28]} ... {line[33 - WIDTH :]}"
