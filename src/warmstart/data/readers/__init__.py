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
    for name in READERS.names():
        reader: Reader = READERS.get(name)()
        if reader.fits(path):
            return reader
    return None
