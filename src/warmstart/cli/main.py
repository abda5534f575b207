"""The command line: words in, process called, words out. No decisions here.

Exit codes: 0 done, 2 usage or data, 5 resources, 6 interrupted, 70 our fault; with --exit-code also
3 not worth it, 4 cannot tell.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import typer

from warmstart.base.errors import WarmstartError
from warmstart.cli import frame

VERBS = (
    *("run", "check", "rank", "plan", "tune", "prove"),
    *("report", "predict", "list", "explain", "schema", "demo"),
)
INTERRUPTED, OUR_FAULT = 6, 70


def app() -> typer.Typer:
    """All verbs, each from its own file."""
    whole = typer.Typer(
        help="Fine-tune a pretrained model with one command, and prove that it was worth it.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    whole.callback()(version_flag)
    for verb in VERBS:
        whole.command(verb)(import_module(f"warmstart.cli.{verb}_verb").command)
    return whole


def version_flag(
    version: bool = typer.Option(False, "--version", help="Print the version and stop.", is_eager=True),
) -> None:
    """Fine-tune a pretrained model with one command, and prove that it was worth it."""
    if version:
        import warmstart

        typer.echo(warmstart.__version__)
        raise typer.Exit


def main(words: list[str] | None = None) -> int:
    """Carry out a command line and return its exit code; a user never sees a traceback."""
    words = sys.argv[1:] if words is None else words
    try:
        code = app()(args=words, standalone_mode=False, prog_name="warmstart")
        return int(code) if isinstance(code, int) else 0
    except WarmstartError as error:
        frame.show_error(error, as_json="--json" in words)
        return error.exit_code
    except KeyboardInterrupt:
        frame.show_error(interrupted(), as_json="--json" in words)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        if hasattr(error, "format_message"):  # a misspelt flag or a missing word
            frame.show_error(usage(error), as_json="--json" in words)
            return 2
        if type(error).__name__ in ("Abort", "Exit"):
            return int(getattr(error, "exit_code", INTERRUPTED))
        return our_fault(error, words)


def usage(error: Any) -> WarmstartError:
    return WarmstartError(error.format_message().rstrip("."), "see `warmstart --help`", "usage")


def interrupted() -> WarmstartError:
    return WarmstartError(
        "interrupted", "go on where it was: `warmstart run` on the run folder", "interrupted"
    )


def our_fault(error: Exception, words: list[str]) -> int:
    """Something that is not the user's doing: the traceback goes into a file, not into their face."""
    import tempfile
    import traceback

    if os.environ.get("WARMSTART_DEBUG"):
        raise error
    with tempfile.NamedTemporaryFile("w", prefix="warmstart-crash-", suffix=".txt", delete=False) as file:
        file.write(f"warmstart {' '.join(words)}\n\n{traceback.format_exc()}")
    told = WarmstartError(
        f"a fault in warmstart: {type(error).__name__}: {error}",
        f"please report it with {file.name}",
        "our-fault",
        OUR_FAULT,
    )
    frame.show_error(told, as_json="--json" in words)
    return OUR_FAULT
