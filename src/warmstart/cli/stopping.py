"""SIGTERM and SIGHUP end a command as Ctrl-C does: what is in hand is put down, and how to go on is said."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import NoReturn

ASKING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def stoppable() -> Iterator[None]:
    """For the while of a command. A signal that is ignored, as under nohup, stays ignored."""
    before = {}
    if current_thread() is main_thread():
        before = {n: h for n in ASKING if (h := signal.getsignal(n)) not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
