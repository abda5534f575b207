"""Parquet: rows are numbered from 1, as a file of columns has no lines."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.data.readers._columnar import read_columnar


@dataclass(frozen=True)
class ParquetReader:
    """Rows of a .parquet file."""

    suffixes: tuple[str, ...] = (".parquet", ".pq")

    def fits(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def rows(self, path: Path) -> Any:
        return read_columnar(path, "parquet", _read)


def _read(path: Path) -> Any:
    from pyarrow.parquet import ParquetFile  # not read_table: it takes folder names for columns

    with ParquetFile(path) as file:
        return file.read()


READER = ParquetReader
