"""The command line: words in, process called, words out. No decisions here.

Exit codes: 0 done, 2 usage or data, 5 resources, 6 interrupted, 70 our fault; with --exit-code also
3 not worth it, 4 cannot tell.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any

import typer

from warmstart.base.launched import launched
from warmstart.cli import faults, frame
from warmstart.cli.stopping import stoppable

VERBS = (
    *("run", "check", "rank", "plan", "tune", "prove"),
    *("report", "predict", "label", "list", "explain", "schema", "demo"),
)


class Ended(Exception):
    """Carries what ended a verb past typer, which would make exit codes of its own from it."""


def main(words: Sequence[str] | None = None) -> int:
    """Carry out a command line and return its exit code; a user never sees a traceback."""
    words = list(sys.argv[1:] if words is None else words) or ["--help"]
    as_json = "--json" in words[: words.index("--")] if "--" in words else "--json" in words
    try:
        with stoppable(), first_of_all():
            code = app(words)(args=words, standalone_mode=False, prog_name="warmstart")
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (Exception, KeyboardInterrupt) as error:
        cause = error.__cause__ if isinstance(error, Ended) else error
        if isinstance(cause, BrokenPipeError):  # nobody reads on
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return faults.INTERRUPTED
        if os.environ.get("WARMSTART_DEBUG"):
            raise
        told = faults.told(cause or error, words, VERBS)
        frame.show_error(told, as_json)
        return told.exit_code


@contextmanager
def first_of_all() -> Iterator[None]:
    """Send home those that torchrun has started beside this process, however its command ends."""
    try:
        yield
    finally:
        if launched():
            from warmstart.street.hands import dismiss

            dismiss()


def app(words: Sequence[str] = ()) -> typer.Typer:
    """All verbs, each from its own file; if the first word is a verb, that one alone."""
    whole = typer.Typer(
        help="Fine-tune a pretrained model with one command, and prove that it was worth it.",
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    whole.callback()(first_flags)
    for verb in words[:1] if set(words[:1]) & {*VERBS} else VERBS:
        whole.command(verb)(carried(import_module(f"warmstart.cli.{verb}_verb").command))
    return whole


def carried(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with its interruptions handed on to `main`."""

    @wraps(command)
    def call(*words: Any, **flags: Any) -> Any:
        try:
            return command(*words, **flags)
        except (KeyboardInterrupt, BrokenPipeError) as error:
            raise Ended from error

    return call


def tell_version(asked: bool) -> None:
    if asked:
        import warmstart

        typer.echo(warmstart.__version__)
        raise typer.Exit


def first_flags(
    version: bool = typer.Option(
        False, "--version", help="Print the version and stop.", is_eager=True, callback=tell_version
    ),
) -> None:
    """Fine-tune a pretrained model with one command, and prove that it was worth it."""
