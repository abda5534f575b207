"""A folder of tables again: each table that is read, in its place."""

from dataclasses import dataclass
from pathlib import Path

from warmstart.data.readers import reader_name
from warmstart.data.readers.table_folder import files_of
from warmstart.data.writers import WRITERS, Copied, Edit


@dataclass(frozen=True)
class TableFolderWriter:
    """The tables of one data set; other files are not copied."""

    def copy(self, source: Path, target: Path, edit: Edit) -> Copied:
        rows, lost = 0, []
        for file, _ in files_of(source):
            inside = file.relative_to(source)
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            done = WRITERS.get(reader_name(file))().copy(file, target / inside, edit.after(rows))
            above = "" if inside.parent == Path() else f"{inside.parent.as_posix()}/"
            lost += [(f"{above}{place}", why) for place, why in done.lost]
            rows += done.rows
        return Copied(rows, tuple(lost))


WRITER = TableFolderWriter
