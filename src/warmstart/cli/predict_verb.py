"""warmstart predict: a finished run answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmstart.cli import flags, frame

if TYPE_CHECKING:
    from warmstart.serve.answers import Said

WIDTH = 60  # letters of what was asked about


def command(
    run: flags.RunFolder,
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT",
            help="A text, a picture, a table of them (.csv, .jsonl ...), or - for standard input.",
            show_default=False,
        ),
    ],
    top: Annotated[int, typer.Option(help="Show this many labels of each; --json has all.", min=1)] = 3,
    device: flags.Device = "auto",
    as_json: flags.Json = False,
) -> None:
    """Labels with probabilities for texts, pictures, or every row of a file."""
    from warmstart import process
    from warmstart.street.folder import run_folder
    from warmstart.street.stale import stale

    frame.warn(stale(run_folder(run)))
    answers = process.ask(run, what, device)
    if as_json:
        frame.show_json([as_table(said) for said in answers])
        return
    for said in answers:
        line = "  ".join(f"{label} {probability:.3f}" for label, probability in said.answer[:top])
        told = frame.one_line(line or f"error: {said.wrong}")
        frame.show_lines(f"{short(said.name):<{WIDTH}}  {told}")
    if line := accuracy(answers):
        frame.show_lines(line)


def as_table(said: Said) -> dict[str, Any]:
    """As JSON; "error" is there only where there is no answer."""
    labels = [{"label": label, "probability": p} for label, p in said.answer]
    return {"input": said.name, "labels": labels, **({"error": said.wrong} if said.wrong else {})}


def accuracy(answers: Sequence[Said]) -> str:
    """How many of the rows with a label are answered right, with the interval; nothing where none has one."""
    from warmstart.evaluate.intervals import wilson

    known = [said for said in answers if said.truth and said.answer]
    if not known:
        return ""
    right = sum(said.answer[0][0] == said.truth for said in known)
    low, high = wilson(right, len(known))
    share = f"{right / len(known):.1%} (95 % interval {100 * low:.1f} to {100 * high:.1f})"
    return f"accuracy {share} on {len(known):,} rows with a label"


def short(name: str) -> str:
    """One line of at most WIDTH letters: of a long path the end tells more, of a text the beginning."""
    line = frame.one_line(name)
    return line if len(line) <= WIDTH else f"{line[:28]} ... {line[33 - WIDTH :]}"
