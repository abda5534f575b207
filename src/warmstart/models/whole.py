"""A folder that is there whole or not at all, whatever happens while it is written."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.lib.format import open_memmap

from warmstart.base.files import read_json, write_json

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
TMP, SEAL = ".tmp", "done.json"


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a draft to write to; it takes the name `folder` once the block has ended without an exception.

    Everything is on the disk before the name is: a power cut leaves the old state or the new. Where another
    process was faster, its folder stays, unless its seal is broken. Drafts that killed processes left are
    swept up.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}{TMP}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
        for path in (*draft.iterdir(), draft):
            sync(path)
        if (draft / SEAL).is_file() and folder.is_dir() and sealed(folder) is None:
            shutil.rmtree(folder)
        try:
            draft.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
        sync(folder.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def seal(draft: Path, facts: dict[str, Any]) -> None:
    """Write down some facts about a folder, and the sizes of its files."""
    sizes = {path.name: path.stat().st_size for path in draft.iterdir()}
    write_json(draft / SEAL, {"facts": facts, "sizes": sizes})


def sealed(folder: Path) -> dict[str, Any] | None:
    """The facts of a folder that was sealed and from which nothing was taken since; else None."""
    try:
        table = read_json(folder / SEAL)
        whole = all((folder / name).stat().st_size == size for name, size in table["sizes"].items())
        facts: dict[str, Any] = table["facts"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return facts if whole else None


def sync(path: Path) -> None:
    """Have the system write what it holds back; without it a power cut can lose what a rename has shown."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
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
