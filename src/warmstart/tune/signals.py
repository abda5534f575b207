"""Being asked to stop: the step in hand is ended and saved first; a second time stops at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")
ASKING = tuple(getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n))


class StopNow(KeyboardInterrupt):
    """Asked twice: nothing is waited for."""


class BrokenOff(KeyboardInterrupt):
    """Asked while something was done that can be done again."""


class Stop:
    """Whether somebody asked for an end, by which signal, and who else wants to hear of it."""

    def __init__(self) -> None:
        self.signal = 0
        self.breakable = False
        self.before: dict[int, Any] = {}

    def __call__(self, number: int, frame: object) -> None:
        if self.signal:
            raise StopNow
        self.signal = number
        if self.breakable:
            raise BrokenOff

    def unless_asked(self, work: Callable[[], T], breakable: bool = True) -> T | None:
        """What `work` gives, which must leave nothing behind; None where it was broken off.

        Work of several processes is not `breakable`: the others would wait for this one.
        """
        self.breakable = breakable
        try:
            return work()
        except BrokenOff:
            return None
        finally:
            self.breakable = False

    def take_over(self) -> None:
        """Hear every signal but those that the process was told to ignore, as nohup does."""
        for number in ASKING:
            handler = signal.getsignal(number)
            if handler is not None and handler != signal.SIG_IGN:
                self.before[number] = signal.signal(number, self)

    def give_back(self) -> None:
        while self.before:
            signal.signal(*self.before.popitem())

    def hand_on(self) -> NoReturn:
        """Let what stood there before this training do what it does; a training never goes on after it."""
        self.give_back()
        signal.raise_signal(self.signal)
        raise KeyboardInterrupt


@contextmanager
def held(wanted: bool = True) -> Iterator[Stop]:
    """Keep signals that ask for an end while the block runs. Only the main thread hears any."""
    stop = Stop()
    if wanted and current_thread() is main_thread():
        stop.take_over()
    try:
        yield stop
    finally:
        stop.give_back()
