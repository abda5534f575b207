"""The user's rows in a memory-mapped Arrow file, so that data larger than memory works."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Rows:
    """Rows of an Arrow IPC file, read where they are asked for.

    Column `_where` says where a row came from ("reviews.csv:12", "train/cat/1.jpg").
    """

    path: Path

    @cached_property
    def table(self) -> Any:
        import pyarrow as pa

        with pa.memory_map(str(self.path)) as source:
            return pa.ipc.open_file(source).read_all()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def columns(self) -> list[str]:
        return list(self.table.column_names)

    def column(self, name: str) -> list[Any]:
        """All values of one column, as Python values."""
        return list(self.table.column(name).to_pylist())

    def take(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """The rows with these numbers (0-based), in this order."""
        import pyarrow as pa

        return list(self.table.take(pa.array(numbers, pa.int64())).to_pylist())

    @staticmethod
    def write(table: Any, path: Path) -> "Rows":
        """Write a pyarrow Table to `path` (whole or not at all) and return its Rows."""
        import pyarrow as pa

        draft = path.with_suffix(".tmp")
        with pa.OSFile(str(draft), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=4096)
        draft.replace(path)
        return Rows(path)
