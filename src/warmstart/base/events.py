"""What happened, as it happens: lines of JSON in a file that is only ever added to, and whoever listens."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.base.tables import to_table

Tell = Callable[[dict[str, Any]], None]


def nobody(event: dict[str, Any]) -> None:
    """A listener that does not listen."""


@dataclass(frozen=True)
class EventLog:
    """Adds each event as a line to `path` and hands it on to `listener`."""

    path: Path
    listener: Tell = nobody

    def __call__(self, event: dict[str, Any]) -> None:
        stamped = {"time": round(time.time(), 3), **event}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:  # ASCII: whatever a file's name holds, and no torn character
            file.write(json.dumps(to_table(stamped)).encode() + b"\n")
        self.listener(stamped)


def read_events(path: Path) -> list[dict[str, Any]]:
    """All whole lines of an event file; a line that was torn by a crash is left out."""
    events = []
    for line in path.read_bytes().split(b"\n") if path.is_file() else []:
        try:
            events.append(json.loads(line))
        except ValueError:  # half a line, or half a character
            continue
    return [event for event in events if isinstance(event, dict)]
