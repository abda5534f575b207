"""What happened, as it happens: lines of JSON in a file that is only ever added to, and whoever listens."""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.base.lines import from_line, to_line
from warmstart.base.tables import to_table

Tell = Callable[[dict[str, Any]], None]


def nobody(event: dict[str, Any]) -> None:
    """A listener that does not listen."""


@dataclass(eq=False)
class EventLog:
    """Adds each event as a line to `path` and hands it on to `listener`.

    A disk that takes no line ends no work: the listener is told once, and `missed` counts.
    """

    path: Path
    listener: Tell = nobody
    missed: int = 0

    def __call__(self, event: dict[str, Any]) -> None:
        stamped = {"time": round(time.time(), 3), **event}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append(self.path, to_line(to_table(stamped)))
        except OSError as error:
            self.missed += 1
            if self.missed == 1:
                what = f"{self.path} takes no more events ({error.strerror}); the work goes on"
                self.listener({"time": stamped["time"], "event": "note", "what": what})
        self.listener(stamped)


def append(path: Path, line: bytes) -> None:
    """Add a line in one write; behind a line that was torn it stands on a line of its own."""
    with path.open("ab+", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
        torn = end and file.read(1) != b"\n"
        written = (b"\n" if torn else b"") + line + b"\n"
        if file.write(written) != len(written):  # as the room ended within the line
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_events(path: Path) -> list[dict[str, Any]]:
    """All whole lines of an event file; one that was torn by a crash or damaged since is left out."""
    lines = path.read_bytes().split(b"\n") if path.is_file() else []
    return [event for event in map(from_line, lines) if event is not None]
