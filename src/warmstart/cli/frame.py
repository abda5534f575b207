"""What all verbs share: flags that become options, answers as JSON or text, errors, progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.events import Tell, nobody
from warmstart.base.tables import to_table

CLEARED = "\r\x1b[K"  # the line that the cursor is in, erased


def options(flags: Mapping[str, Any], settings: Sequence[str], race: int | None = None) -> dict[str, Any]:
    """Flags and `--set name=value` of the trip; a setting that is no option of the trip changes the plan."""
    from warmstart.street.folder import Options

    known = {f.name for f in fields(Options)} - {"data", "models", "settings"}
    asked = {k: v for k, v in flags.items() if v} | ({} if race is None else {"race": race})
    plan = []
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise WarmstartError(f"--set {setting}: no value", "write --set name=value", "usage")
        name = name.removeprefix("data.")
        if name in known:
            asked[name] = value
        else:
            plan.append(setting)
    return {**asked, "settings": tuple(plan)}


def console(**settings: Any) -> Any:
    """A console of rich; a reader that went away is an error for `main` and no end of its own."""
    from rich.console import Console

    class Ours(Console):
        def on_broken_pipe(self) -> None:
            self.quiet = True
            raise BrokenPipeError

    return Ours(highlight=False, **settings)


def show_error(error: WarmstartError, as_json: bool) -> None:
    """As {"error": {"code", "wrong", "do"}} on standard output, or as two lines on standard error."""
    if as_json:
        print(json.dumps({"error": {"code": error.code, "wrong": error.wrong, "do": error.do}}))
        return
    from rich.text import Text

    shown = console(stderr=True, soft_wrap=True)
    if shown.is_terminal:
        sys.stderr.write(CLEARED)  # of a line of progress
    shown.print(Text("error: ", "bold red") + Text(one_line(error.wrong)))
    shown.print(Text("   do: ", "bold") + Text(one_line(error.do)))


def warn(text: str) -> None:
    """A line on standard error; of nothing, nothing."""
    if text:
        console(stderr=True, markup=False, emoji=False, soft_wrap=True).print(f"warning: {one_line(text)}")


def plain(text: str) -> str:
    """Without control characters, so that no file name can move the cursor or turn the line round."""
    kept = (c if c.isprintable() or c in "\n\t" else " " if c.isspace() else "" for c in text)
    return "".join(kept)


def one_line(text: str) -> str:
    """Plain and on one line, so that no file name can add lines of its own."""
    return " ".join(plain(text).split())


def show_json(value: Any) -> None:
    """Escaped to ASCII: readable whatever the terminal's encoding, and without any control characters."""
    print(json.dumps(to_table(value), indent=2, allow_nan=False))


def show(renderable: Any) -> None:
    console().print(renderable)


def show_lines(text: str) -> None:
    """Plain text as it is: no markup is read in it, and no line is broken."""
    console(markup=False, emoji=False, soft_wrap=True).print(plain(text))


def listener(as_json: bool) -> Tell:
    """Progress on standard error; nothing where a program listens."""
    from warmstart.cli.progress import Progress

    return nobody if as_json else Progress()


VERDICT_CODES = {"worth it": 0, "not worth it": 3, "cannot tell": 4}
