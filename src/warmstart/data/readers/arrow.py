"""Arrow: the file format (feather), and the stream format in which `datasets` saves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.data.readers._columnar import read_columnar


@dataclass(frozen=True)
class ArrowReader:
    """Rows of an .arrow, .feather or .ipc file."""

    suffixes: tuple[str, ...] = (".arrow", ".feather", ".ipc")

    def fits(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def rows(self, path: Path) -> Any:
        return read_columnar(path, "arrow", read_file)


def read_file(path: Path) -> Any:
    """The table of a file or of a stream."""
    import pyarrow as pa
    from pyarrow.feather import read_table

    with path.open("rb") as file:
        head = file.read(6)
    if head == b"ARROW1" or head.startswith(b"FEA1"):
        return read_table(path, memory_map=False)
    with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as stream:
        return stream.read_all()


READER = ArrowReader
