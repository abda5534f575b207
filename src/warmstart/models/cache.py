"""A folder of things that are dear to make, bounded as a whole: what was not used for longest goes first.

Each entry is a whole, sealed folder. Whoever uses one holds a shared lock on its seal, which the system lets
go of with the process, and touches the seal; whoever needs room takes an entry only if it gets that lock
alone. Two processes that want the same entry both make it, and the first to end wins: nobody waits. An entry
goes by one rename, so that none is ever seen in part, and what a killed process left half gone is swept up.
Where a system knows no such locks, files that are mapped stay readable after they went.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.lines import from_line, to_line
from warmstart.models.whole import DRAFTS, PROMISE, SEAL, TMP, facts_of, is_alive, make, sealed, whole_folder

LOCKS: Any = None  # stays so on a system on which files in use cannot be taken away anyway
with suppress(ImportError):
    import fcntl as LOCKS  # noqa: N812
MOST = 20_000_000_000  # bytes, where nobody says how many; or half of what is free, if that is less
SLACK = 4096  # bytes of an entry's seal and of the headers of its files
LIMIT = ".warmstart-limit.json"
NAME = re.compile(r"[0-9a-f]{24}")  # of an entry: nothing else that may lie in the folder is ever touched
DRAFT = re.compile(rf"\.[0-9a-f]{{24}}\.\d+\.(\d+)\{TMP}")
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


class Lease:
    """The right to an entry for as long as this object lives, or the process."""

    def __init__(self, handle: int) -> None:
        self.release = weakref.finalize(self, os.close, handle)


@dataclass(frozen=True)
class Used:
    """What was written down about an entry that was found whole, and the right to it."""

    facts: dict[str, Any]
    lease: Lease


def use(place: Path, trust: bool = False) -> Used | None:
    """An entry that is there and whole, from now on held and counted as used just now; else None.

    With `trust` its files are not read through: this process has written them just now.
    """
    lease = hold(place)
    facts = None if lease is None else (facts_of if trust else sealed)(place)
    return None if lease is None or facts is None else Used(facts, lease)


def hold(place: Path) -> Lease | None:
    """The right to an entry, without a look at what is in it; None if it is gone or just going."""
    seal = place / SEAL
    try:
        handle = os.open(seal, os.O_RDONLY)
    except OSError:
        return None
    lease = Lease(handle)
    if not lock(handle, alone=False, wait=False):
        return None
    try:
        if not os.path.samestat(os.fstat(handle), seal.stat()):
            return None
        os.utime(seal)
    except FileNotFoundError:
        return None
    except OSError:  # not ours to touch; it is ours to read
        pass
    return lease


def lock(handle: int, alone: bool, wait: bool) -> bool:
    """Lock an open file for this process alone or with others; False if another process holds it."""
    if LOCKS is None:
        return True
    try:
        LOCKS.flock(handle, (LOCKS.LOCK_EX if alone else LOCKS.LOCK_SH) | (0 if wait else LOCKS.LOCK_NB))
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)  # else: a file system without locks
    return True


@contextmanager
def entry(place: Path, size: int, limit: int | None = None) -> Iterator[Path]:
    """Give a draft for an entry of `size` bytes; it takes its name at the end of the block.

    OSError (ENOSPC) where there is no room for it within the limit: that of the folder, or the one given.
    """
    wanted = size + SLACK
    make(place.parent)
    with whole_folder(place) as draft:
        with locked(place.parent):
            if not make_room(place.parent, wanted, limit):
                raise OSError(errno.ENOSPC, f"no room for {wanted:,} bytes in {place.parent}")
            (draft / PROMISE).write_bytes(to_line({"bytes": wanted}))
        yield draft
        (draft / PROMISE).unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time counts and makes room; for milliseconds."""
    if LOCKS is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        lock(handle, alone=True, wait=True)
        yield
    finally:
        os.close(handle)


def make_room(folder: Path, wanted: int, limit: int | None = None) -> bool:
    """Let the entries go that were not used for longest, until `wanted` bytes fit; False if they cannot."""
    sweep(folder)
    entries = sorted(entries_of(folder), key=last_used)
    sizes = {path: size_of(path) for path in entries}
    fixed = promised(folder)
    taken = sum(sizes.values()) + fixed
    most = limit_of(folder, taken) if limit is None else limit
    if fixed + wanted > most:
        return False
    for path in entries:
        if fits(folder, taken, wanted, most):
            break
        if let_go(path):
            taken -= sizes[path]
    return fits(folder, taken, wanted, most)


def fits(folder: Path, taken: int, wanted: int, most: int) -> bool:
    return taken + wanted <= most and shutil.disk_usage(folder).free > wanted


def limit_of(folder: Path, taken: int) -> int:
    """Bytes that the folder may hold: what was asked for last, else MOST or half of what could be free."""
    with suppress(OSError, KeyError, TypeError, ValueError):
        table = from_line((folder / LIMIT).read_bytes())
        if table is not None:
            return int(table["bytes"])
    return min(MOST, (shutil.disk_usage(folder).free + taken) // 2)


def set_limit(folder: Path, said: str) -> None:
    """From now on the folder holds at most so much ("20GB", "500MB", or bytes), whichever run fills it."""
    size = bytes_in(said)
    make(folder)
    with locked(folder):
        draft = folder / f"{LIMIT}.{os.getpid()}"
        draft.write_bytes(to_line({"bytes": size, "said": said}))
        draft.replace(folder / LIMIT)
        make_room(folder, 0)


def bytes_in(said: str) -> int:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKmMgGtT]?[bB]?)\s*", said)
    unit = found[2].upper() if found else "?"
    unit = f"{unit}B" if unit in ("K", "M", "G", "T") else unit
    if found is None or unit not in UNITS:
        raise WarmstartError(
            f"--cache-limit {said}: this is no size", "write for example 500MB or 20GB", "usage"
        )
    return int(float(found[1]) * UNITS[unit])


def entries_of(folder: Path) -> Iterator[Path]:
    """The whole entries; nothing that somebody else put beside them."""
    for path in folder.iterdir():
        if NAME.fullmatch(path.name) and (path / SEAL).is_file():
            yield path


def last_used(path: Path) -> float:
    try:
        return (path / SEAL).stat().st_mtime
    except OSError:  # it went just now
        return time.time()


def size_of(path: Path) -> int:
    total = 0
    with suppress(OSError):
        for file in path.iterdir():
            total += file.stat().st_size
    return total


def promised(folder: Path) -> int:
    """Bytes that drafts of living processes take, or said that they will take."""
    total = 0
    for path in folder.iterdir():
        if DRAFT.fullmatch(path.name):
            try:
                table = from_line((path / PROMISE).read_bytes())
            except OSError:  # nearly done, or going
                table = None
            total += size_of(path) if table is None else int(table["bytes"])
    return total


def let_go(path: Path) -> bool:
    """Take an entry away that nobody uses; False if somebody does, or it is not ours to take."""
    try:
        handle = os.open(path / SEAL, os.O_RDONLY)
    except OSError:
        return not path.exists()
    try:
        if not lock(handle, alone=True, wait=False):
            return False
        going = path.with_name(f".{path.name}.{next(DRAFTS)}.{os.getpid()}{TMP}")
        path.rename(going)
    except OSError:
        return False
    finally:
        os.close(handle)
    shutil.rmtree(going, ignore_errors=True)
    return True


def sweep(folder: Path) -> None:
    """Remove what processes that are gone were making or taking away."""
    for path in folder.iterdir():
        owner = DRAFT.fullmatch(path.name)
        if owner and not is_alive(int(owner[1])):
            shutil.rmtree(path, ignore_errors=True)
