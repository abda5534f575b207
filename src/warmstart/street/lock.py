"""One process at a time in a run folder; the others are told who holds it, where and since when."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.events import Tell, nobody
from warmstart.base.lines import from_line, to_line
from warmstart.models.whole import is_alive

LOCK, HOLDER = ".lock", ".holder.json"
PATIENCE = 2.0  # seconds in which a holder that has just come writes down who it is


@contextmanager
def holding(folder: Path, tell: Tell = nobody) -> Iterator[None]:
    """Hold the folder for the while. The system lets go of it when a process ends, however it ends.

    WarmstartError that names the holder if another process holds it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise held_by(folder, waited_for(folder)) from None
    try:
        left = read_holder(folder)
        write_holder(folder)
        if left:
            tell({"event": "note", "what": f"taken over from {in_words(left)}, which is gone"})
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def write_holder(folder: Path) -> None:
    """Who holds the folder; where that cannot be written, the lock alone stands."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    line = to_line({"process": os.getpid(), "host": socket.gethostname(), "since": since})
    draft = folder / f"{HOLDER}.{os.getpid()}"
    with suppress(OSError):
        draft.write_bytes(line)
        draft.replace(folder / HOLDER)


def read_holder(folder: Path) -> dict[str, Any] | None:
    try:
        return from_line((folder / HOLDER).read_bytes())
    except OSError:
        return None


def waited_for(folder: Path) -> dict[str, Any] | None:
    """The holder, once it has written down who it is; what a dead one left is not believed."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        holder = read_holder(folder)
        if holder and (holder["host"] != socket.gethostname() or is_alive(int(holder["process"]))):
            return holder
        time.sleep(0.02)
    return None


def held_by(folder: Path, holder: Mapping[str, Any] | None) -> WarmstartError:
    who = in_words(holder) if holder else "another process"
    stop = f"stop it (kill {holder['process']})" if holder else "stop it"
    return WarmstartError(
        f"{folder}: {who} is working in this run folder",
        f"wait for it, {stop}, or start a new run",
        "locked",
        5,
    )


def in_words(holder: Mapping[str, Any]) -> str:
    return f"process {holder['process']} on {holder['host']}, since {holder['since']},"
