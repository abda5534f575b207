"""Images with a table beside them: metadata.csv or metadata.jsonl, whose column `file_name` names it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.data.join import join
from warmstart.data.readers import reader_for
from warmstart.data.readers._folders import kind_of, metadata_in, split_named
from warmstart.data.readers._table import placed, user_columns

HOLDS_NAME = "file_name"


@dataclass(frozen=True)
class ImageFolderReader:
    """Rows of an imagefolder: the metadata's columns; paths start from the metadata's folder."""

    def fits(self, path: Path) -> bool:
        return path.is_dir() and kind_of(path) == "metadata"

    def rows(self, path: Path) -> Any:
        return join([_part(metadata, path) for metadata in metadata_in(path)])


def _part(metadata: Path, folder: Path) -> Any:
    reader = reader_for(metadata)
    assert reader is not None, metadata
    table = reader.rows(metadata)
    if HOLDS_NAME not in table.column_names:
        raise WarmstartError(
            f"{folder.name}/{metadata.relative_to(folder).as_posix()} has no column {HOLDS_NAME!r}",
            f"name the column of image files so; {did_you_mean(HOLDS_NAME, user_columns(table))}",
            "missing-column",
        )
    if metadata.parent == folder:
        return table
    return placed(table, f"{metadata.parent.name}/", split_named(metadata.parent.name))


READER = ImageFolderReader
