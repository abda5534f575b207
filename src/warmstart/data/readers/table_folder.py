"""A folder of tables whose names say the split: train.csv and test.csv, amazon_train.csv, train/1.parquet."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Finding
from warmstart.data.join import join
from warmstart.data.readers import reader_for
from warmstart.data.readers._folders import (
    family_and_split,
    in_street_order,
    kind_of,
    split_folders,
    split_named,
    tables_in,
)
from warmstart.data.readers._table import findings_of, placed, with_findings


@dataclass(frozen=True)
class TableFolderReader:
    """Rows of all the tables of one data set."""

    def fits(self, path: Path) -> bool:
        return path.is_dir() and kind_of(path) == "tables"

    def rows(self, path: Path) -> Any:
        files = files_of(path)
        table = join([_part(file, split, path) for file, split in files])
        left = [file.name for file in tables_in(path) if file not in [used for used, _ in files]]
        return with_findings(table, [*findings_of(table), *_left_alone(left)])


def files_of(folder: Path) -> list[tuple[Path, str | None]]:
    """The files of the folder's one data set, each with its split (None: not named)."""
    own = tables_in(folder)
    if not own:
        return [(file, split_named(s.name)) for s in split_folders(folder) for file in tables_in(s)]
    families: dict[str, list[tuple[Path, str | None]]] = defaultdict(list)
    for file in own:
        family, split = family_and_split(file)
        families[family if split else f"{family}{file.suffix}"].append((file, split))
    named = {f: files for f, files in families.items() if any(split for _, split in files)}
    choice = named or families
    if len(choice) > 1:
        raise _several(list(choice.values()), folder)
    return _once(next(iter(choice.values())), folder)


def _left_alone(names: list[str]) -> list[Finding]:
    if not names:
        return []
    what = f"beside the splits the folder holds {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
    return [Finding("readable", "note", what, "not read", len(names), tuple(names[:5]))]


def _several(sets: list[list[tuple[Path, str | None]]], folder: Path) -> WarmstartError:
    """The error for files of more than one data set, with the words that name the first of them."""
    names = ", ".join(files[0][0].name for files in sets)
    files = sorted(sets[0], key=lambda pair: in_street_order(pair[1]))
    test = next((f" --test {quote(str(file))}" for file, split in files if split == "test"), "")
    return WarmstartError(
        f"{folder.name} holds {len(sets)} data sets ({names[:120]})",
        f"name one: {quote(str(files[0][0]))}{test}",
        "several-tables",
    )


def _once(files: list[tuple[Path, str | None]], folder: Path) -> list[tuple[Path, str | None]]:
    """Train first; two files that both say they are the same split are refused, unless they are shards."""
    for split in {s for _, s in files}:
        names = {f.name if "-of-" not in f.stem else f.stem.split("-")[0] for f, s in files if s == split}
        if len(names) > 1:
            raise WarmstartError(
                f"{folder.name} holds {' and '.join(sorted(names))}, which are both the {split} split",
                "keep one of them",
                "two-tables",
            )
    return sorted(files, key=lambda pair: in_street_order(pair[1]))


def _part(file: Path, split: str | None, folder: Path) -> Any:
    """The rows of one file, in its split, its place told from the folder."""
    reader = reader_for(file)
    assert reader is not None, file
    inside = file.relative_to(folder).parent.as_posix()
    return placed(reader.rows(file), "" if inside == "." else f"{inside}/", split)


READER = TableFolderReader
