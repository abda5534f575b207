"""How far the work is, on standard error: stops as lines, a training as one line that moves."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from warmstart.cli.frame import CLEARED, console, one_line, plain

QUIET_SECONDS = 10  # between lines of progress where nobody watches
NO_MARKUP = {"markup": False, "emoji": False, "soft_wrap": True}


class Progress:
    """Stops as lines; within a training one line that moves, or a line every ten seconds in a log."""

    def __init__(self) -> None:
        self.console = console(stderr=True, **NO_MARKUP)
        self.began = self.told = time.monotonic()
        self.open = False

    def __call__(self, event: dict[str, Any]) -> None:
        with suppress(OSError):  # nobody reads standard error any more; the work goes on
            self.tell(event)

    def tell(self, event: Mapping[str, Any]) -> None:
        kind = event.get("event")
        if kind == "stop":
            self.line(event["stop"], event["what"])
        elif kind == "note":
            self.line("note", event["what"])
        elif kind == "stopped":
            self.line("stopped", f"after step {event['steps']:,}, which is saved")
        elif kind == "resumed":
            self.line("resumed", f"at step {event['steps']:,}")
        elif kind == "look" and event["phase"]:
            self.move(looked(event))
        elif kind == "step":
            self.move(stepped(event))

    def line(self, opening: str, text: str) -> None:
        self.close()
        self.console.print(f"{opening:>8}  {one_line(text)}")

    def move(self, text: str) -> None:
        """Overwrite the moving line; in a log add one now and then."""
        if self.console.is_terminal:
            sys.stderr.write(CLEARED + plain(text)[: self.console.width - 1])
            sys.stderr.flush()
            self.open = True
        elif time.monotonic() - self.told > QUIET_SECONDS:
            self.told = time.monotonic()
            self.console.print(one_line(text))

    def close(self) -> None:
        if self.open:
            sys.stderr.write(CLEARED)
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
