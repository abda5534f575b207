"""A data set of the hub, by its id ("imdb", "owner/name"), through the `datasets` library.

The only reader that asks the network, and only when no such path exists.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Finding
from warmstart.data.join import join
from warmstart.data.readers._columnar import plain_types
from warmstart.data.readers._folders import IMAGES, TABLES, split_named
from warmstart.data.readers._table import findings_of, finish, with_findings

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")


@dataclass(frozen=True)
class HubReader:
    """Rows of all train, validation and test splits of a hub data set."""

    def fits(self, path: Path) -> bool:
        """A name like a hub id that is not here; a mistyped file, or one in a folder that is here, is not."""
        is_file_name = path.suffix.lower() in (*IMAGES, *TABLES, ".txt", ".zip", ".gz", ".xlsx")
        below_here = path.parent != Path() and path.parent.exists()
        return bool(NAME.fullmatch(path.as_posix())) and not (path.exists() or is_file_name or below_here)

    def rows(self, path: Path) -> Any:
        return rows_of(_load(path.as_posix()), path.as_posix())


def _load(name: str) -> Any:
    try:
        from datasets import load_dataset
    except ImportError:
        raise WarmstartError(
            f"{name!r} is no file or folder here, and reading it from the hub needs the `datasets` library",
            "correct the path, or pip install 'warmstart[hub]'",
            "missing-file",
        ) from None
    try:
        return load_dataset(name)
    except Exception as error:  # the library and the network below it raise dozens of types
        raise WarmstartError(
            f"{name!r} is no file or folder here, and the hub did not give it ({type(error).__name__})",
            "correct the path; or, if it is a hub id, check the name and the connection",
            "missing-file",
        ) from None


def rows_of(splits: Any, name: str) -> Any:
    """The rows of a `datasets.DatasetDict`: train, validation and test; other splits are passed over."""
    used = {s: split_named(s) for s in splits if split_named(s) and len(splits[s])}
    if not used:
        raise WarmstartError(
            f"{name} has no rows for training (its splits: {', '.join(splits)})",
            "download it and name a file",
            "no-rows",
        )
    table = join([_split(splits[s], f"{name}:{s}", split) for s, split in used.items()])
    others = [s for s in splits if s not in used]
    if not others:
        return table
    what = f"{name} also has splits {', '.join(others)}"
    return with_findings(
        table, [*findings_of(table), Finding("readable", "note", what, "not read", len(others))]
    )


def _split(dataset: Any, name: str, split: str | None) -> Any:
    metadata = dataset.features.arrow_schema.metadata
    table = dataset.with_format("arrow")[:].replace_schema_metadata(metadata)
    where = [f"{name}[{number}]" for number in range(table.num_rows)]
    return finish(plain_types(table, name), where, Path(), name, split)


READER = HubReader
