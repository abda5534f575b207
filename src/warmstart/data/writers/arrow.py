"""Arrow again: a file stays a file and a stream a stream."""

from dataclasses import dataclass
from pathlib import Path

from warmstart.data.readers.arrow import read_file
from warmstart.data.writers import Copied, Edit
from warmstart.data.writers._columnar import edited


@dataclass(frozen=True)
class ArrowWriter:
    """An .arrow, .feather or .ipc file."""

    def copy(self, source: Path, target: Path, edit: Edit) -> Copied:
        import pyarrow as pa

        table = read_file(source)
        with source.open("rb") as file:
            is_stream = file.read(6)[:3] not in (b"ARR", b"FEA")
        again = edited(table, edit)
        make = pa.ipc.new_stream if is_stream else pa.ipc.new_file
        with pa.OSFile(str(target), "wb") as sink, make(sink, again.schema) as writer:
            writer.write_table(again)
        return Copied(table.num_rows)


WRITER = ArrowWriter
