"""Parquet again."""

from dataclasses import dataclass
from pathlib import Path

from warmstart.data.writers import Copied, Edit
from warmstart.data.writers._columnar import edited


@dataclass(frozen=True)
class ParquetWriter:
    """A .parquet file with the columns and metadata that it has."""

    def copy(self, source: Path, target: Path, edit: Edit) -> Copied:
        from pyarrow.parquet import ParquetFile, write_table

        with ParquetFile(source) as file:
            table = file.read()
        write_table(edited(table, edit), target)
        return Copied(table.num_rows)


WRITER = ParquetWriter
