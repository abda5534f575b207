"""Saving beside the training: one save at a time; what went wrong is kept until it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from safetensors import SafetensorError

FAILURES = (OSError, RuntimeError, SafetensorError, MemoryError)  # as which a full disk arrives


class SaveThread:
    """Does one piece of work at a time. It is no reason to keep a process alive that was told to stop now."""

    def __init__(self) -> None:
        self.thread: Thread | None = None
        self.failure: BaseException | None = None

    @property
    def busy(self) -> bool:
        return self.thread is not None and self.thread.is_alive()

    def begin(self, work: Callable[[], None]) -> None:
        """Start `work`; the one before it must have been waited for."""
        assert self.thread is None

        def run() -> None:
            try:
                work()
            except BaseException as error:
                self.failure = error

        self.thread = Thread(target=run, name="checkpoint", daemon=True)
        self.thread.start()

    def wait(self) -> BaseException | None:
        """Wait until nothing is being done; returns the FAILURES it ended with and raises any other error."""
        if self.thread is None:
            return None
        self.thread.join()
        self.thread, failure, self.failure = None, self.failure, None
        if failure is not None and not isinstance(failure, FAILURES):
            raise failure
        return failure
