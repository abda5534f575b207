"""Readers: one file format, one file."""

from pathlib import Path
from typing import Any, Protocol

from warmstart.base.family import Family

READERS = Family(__name__, "READER")


class Reader(Protocol):
    """One file format.

    `rows` returns a pyarrow Table made by `_table.finish`: the user's columns, `_where` (the line or file
    that each row came from), `_split` ("train", "validation", "test" or null) and `_ws_base` (the folder that
    relative paths start from). What the reader noticed rides in the schema's metadata (`_table.findings_of`).
    """

    def fits(self, path: Path) -> bool: ...

    def rows(self, path: Path) -> Any: ...


def reader_for(path: Path) -> Reader | None:
    """The first reader, by name, that fits `path`."""
    name = reader_name(path)
    return READERS.get(name)() if name else None


def reader_name(path: Path) -> str:
    """The name of that reader; "" if none fits."""
    return next((name for name in READERS.names() if READERS.get(name)().fits(path)), "")
