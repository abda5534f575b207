"""A folder that is there whole or not at all, whatever happens while it is written."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from hashlib import file_digest
from itertools import count
from pathlib import Path
from typing import Any

from numpy.lib.format import open_memmap

from warmstart.base.lines import from_line, to_line

NO_ROOM = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.EROFS, errno.EACCES, errno.EPERM),  # or it is not ours to take
)
TMP, SEAL = ".tmp", "done.json"
PROMISE = "promise.json"  # in a draft: how large it will be
DRAFTS = count()


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a draft to write to; it takes the name `folder` once the block has ended without an exception.

    Everything is on the disk before the name is: a power cut leaves the old state or the new. Where another
    process was faster, its folder stays, unless its seal is broken. Drafts that killed processes left are
    swept up.
    """
    make(folder.parent)
    sweep(folder)
    draft = folder.with_name(f".{folder.name}.{next(DRAFTS)}.{os.getpid()}{TMP}")
    draft.mkdir()
    try:
        yield draft
        for path in (*draft.iterdir(), draft):
            sync(path)
        if (draft / SEAL).is_file() and folder.is_dir() and sealed(folder) is None:
            drop_broken(folder)
        try:
            draft.rename(folder)
        except OSError as error:  # one that was faster may be gone again by now
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) and not folder.is_dir():
                raise
        sync(folder.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def drop_broken(folder: Path) -> None:
    """Take a damaged folder away; one that another process has put in its place meanwhile goes back."""
    going = folder.with_name(f".{folder.name}.{next(DRAFTS)}.{os.getpid()}{TMP}")
    with suppress(FileNotFoundError):  # another process was faster
        folder.rename(going)
        if sealed(going) is not None:
            with suppress(OSError):
                going.rename(folder)
        shutil.rmtree(going, ignore_errors=True)


def seal(draft: Path, facts: dict[str, Any]) -> None:
    """Write down some facts about a folder, and a hash of each of its files."""
    hashes = {path.name: hash_of(path) for path in sorted(draft.iterdir()) if path.name != PROMISE}
    (draft / SEAL).write_bytes(to_line({"facts": facts, "files": hashes}))


def sealed(folder: Path) -> dict[str, Any] | None:
    """The facts of a folder that was sealed and in which no bit was changed since; else None."""
    try:
        table = from_line((folder / SEAL).read_bytes())
        if table is None:
            return None
        whole = all(known_hash(folder / name) == expected for name, expected in table["files"].items())
        facts: dict[str, Any] = table["facts"]
    except (OSError, KeyError, TypeError, AttributeError):
        return None
    return facts if whole else None


def facts_of(folder: Path) -> dict[str, Any] | None:
    """The facts of a folder that was sealed, without a look at its files; None where there are none."""
    try:
        table = from_line((folder / SEAL).read_bytes())
        return None if table is None else dict(table["facts"])
    except (OSError, KeyError, TypeError, ValueError):
        return None


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def known_hash(path: Path) -> str:
    """The same, but read only once while nobody writes to the file."""
    seen = path.stat()
    return hash_once(path, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


@lru_cache(maxsize=4096)
def hash_once(path: Path, *stamps: int) -> str:
    return hash_of(path)


def make(folder: Path) -> None:
    """The folder and those above it, each known to the disk: a power cut must not take what lies in it."""
    missing = [p for p in (folder, *folder.parents) if not p.is_dir()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync(path.parent)


def sync(path: Path) -> None:
    """Have the system write what it holds back; without it a power cut can lose what a rename has shown."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that flushes no folders
            raise
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove drafts of `folder` whose process is gone."""
    for draft in folder.parent.glob(f".{folder.name}.*{TMP}"):
        owner = draft.name.removesuffix(TMP).rsplit(".", 1)[-1]
        if owner.isdecimal() and not is_alive(int(owner)):
            shutil.rmtree(draft, ignore_errors=True)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is somebody else's; it is no process number
        pass
    return True


def has_room(folder: Path, size: int) -> bool:
    """Are `size` bytes free where `folder` is or will be?"""
    there = next(p for p in (folder, *folder.parents) if p.is_dir())
    return shutil.disk_usage(there).free > size


def reserve(path: Path) -> None:
    """Take the room that a file has so far only promised: writing to a mapped file on a full disk kills."""
    if not hasattr(os, "posix_fallocate"):
        return
    with path.open("r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise  # anything else: a file system that makes no such promises


def room_for(path: Path, dtype: Any, shape: tuple[int, ...]) -> Any:
    """A new array on disk, mapped into memory, with all its room taken. OSError where there is not enough."""
    array = open_memmap(path, "w+", dtype, shape)
    reserve(path)
    return array
