"""What all verbs share: flags that become options, answers as JSON or text, errors, progress."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.events import Tell, nobody
from warmstart.base.tables import to_table

QUIET_SECONDS = 10  # between lines of progress where nobody watches


def options(flags: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Flags and `--set name=value` of the trip; a setting that is no option of the trip changes the plan."""
    from warmstart.street.folder import Options

    known = {f.name for f in fields(Options)} - {"data", "settings"}
    asked = {k: v for k, v in flags.items() if v}
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


def show_error(error: WarmstartError, as_json: bool) -> None:
    """As {"error": {"code", "wrong", "do"}} on standard output, or as two lines on standard error."""
    if as_json:
        print(
            json.dumps(
                {"error": {"code": error.code, "wrong": error.wrong, "do": error.do}}, ensure_ascii=False
            )
        )
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text("error: ", "bold red") + Text(plain(error.wrong)))
    console.print(Text("   do: ", "bold") + Text(plain(error.do)))


def plain(text: str) -> str:
    """Without control characters, so that no file name can move the cursor."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")


def show_json(value: Any) -> None:
    print(json.dumps(to_table(value), ensure_ascii=False, indent=2, allow_nan=False))


def show(renderable: Any) -> None:
    from rich.console import Console

    Console(highlight=False).print(renderable)


class Progress:
    """Stops as lines; within a training one line that moves, or a line every ten seconds in a log."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(stderr=True, highlight=False)
        self.began = self.told = time.monotonic()
        self.open = False

    def __call__(self, event: dict[str, Any]) -> None:
        kind = event.get("event")
        if kind == "stop":
            self.line(f"{event['stop']:>8}  {event['what']}")
        elif kind == "note":
            self.line(f"    note  {event['what']}")
        elif kind == "resumed":
            self.line(f" resumed  at step {event['steps']:,}")
        elif kind == "look" and event["phase"]:
            self.move(looked(event))
        elif kind == "step":
            self.move(stepped(event))

    def line(self, text: str) -> None:
        self.close()
        self.console.print(plain(text), markup=False)

    def move(self, text: str) -> None:
        """Overwrite the moving line; in a log add one now and then."""
        if self.console.is_terminal:
            sys.stderr.write("\r\x1b[K" + plain(text)[: self.console.width - 1])
            sys.stderr.flush()
            self.open = True
        elif time.monotonic() - self.told > QUIET_SECONDS:
            self.told = time.monotonic()
            self.console.print(plain(text).strip(), markup=False)

    def close(self) -> None:
        if self.open:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.open = False


def looked(event: Mapping[str, Any]) -> str:
    return (
        f"          {event.get('run', '')} phase {event['phase']} epoch {event['epoch']}: "
        f"validation loss {event['validation_loss']:.3f}, accuracy {event['validation_accuracy']:.1%}"
    )


def stepped(event: Mapping[str, Any]) -> str:
    return (
        f"          {event.get('run', '')} step {event['steps']:,} of {event['of']:,}, "
        f"loss {event['loss']:.3f}, "
        f"{event['rows_per_second']:,.0f} rows/s, {clock(event['seconds_left'])} left"
    )


def clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def listener(as_json: bool) -> Tell:
    """Progress on standard error; nothing where a program listens."""
    return nobody if as_json else Progress()


VERDICT_CODES = {"worth it": 0, "not worth it": 3, "cannot tell": 4}
