"""What ended a command, in the words of a WarmstartError: the user's, the machine's or our own doing."""

from __future__ import annotations

import errno
import tempfile
import traceback
from collections.abc import Sequence
from shlex import join

from warmstart.base.errors import WarmstartError

RESOURCES, INTERRUPTED, OUR_FAULT = 5, 6, 70
DISK = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE),
}
NO_ROOM = ("No space left", "File too large", "Disk quota")  # as libraries that are not Python's say it
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "Cannot allocate memory")


def told(error: BaseException, words: Sequence[str], verbs: Sequence[str]) -> WarmstartError:
    """The error as a user is told it; `words` are the command line, `verbs` what it may begin with."""
    if isinstance(error, WarmstartError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return interrupted(str(error))
    if hasattr(error, "format_message"):  # a misspelt flag or a missing word, as typer has it
        return usage(error.format_message(), words, verbs)
    return resources(error) or our_fault(error, words)


def interrupted(folder: str) -> WarmstartError:
    do = f"go on where it was: warmstart run {join([folder])}" if folder else "start it again"
    return WarmstartError("interrupted", do, "interrupted", INTERRUPTED)


def usage(message: str, words: Sequence[str], verbs: Sequence[str]) -> WarmstartError:
    verb = f" {words[0]}" if set(words[:1]) & {*verbs} else ""
    return WarmstartError(message.strip().rstrip("."), f"see `warmstart{verb} --help`", "usage")


def resources(error: BaseException) -> WarmstartError | None:
    """Memory or disk that ran out, or may not be used."""
    said = str(error)
    if isinstance(error, MemoryError) or any(words in said for words in NO_MEMORY):
        return WarmstartError(
            "the memory did not suffice",
            "set micro_batch=4 (--set, or in plan.yaml), or take fewer --rows or a smaller model",
            "memory",
            RESOURCES,
        )
    if any(words in said for words in NO_ROOM) or isinstance(error, OSError) and error.errno in DISK:
        return WarmstartError(
            f"{getattr(error, 'filename', None) or 'a file'}: {getattr(error, 'strerror', None) or said}",
            "free space or permit writing there, then go on with `warmstart run` on the run folder",
            "disk",
            RESOURCES,
        )
    return None


def our_fault(error: BaseException, words: Sequence[str]) -> WarmstartError:
    """Something that is not the user's doing: the traceback goes into a file, not into their face."""
    lines = "".join(traceback.format_exception(error))
    with tempfile.NamedTemporaryFile(
        "w", prefix="warmstart-crash-", suffix=".txt", delete=False, errors="backslashreplace"
    ) as file:
        file.write(f"warmstart {join(words)}\n\n{lines}")
    return WarmstartError(
        f"a fault in warmstart: {type(error).__name__}: {error}",
        f"please report it with {file.name}",
        "our-fault",
        OUR_FAULT,
    )
