"""What a folder holds: tables named by split, images with a metadata table, or one sub-folder per class."""

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from warmstart.base.errors import WarmstartError
from warmstart.data.decode import cannot_open

IMAGES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff")
TABLES = (
    ".csv",
    ".tsv",
    ".tab",
    ".jsonl",
    ".ndjson",
    ".json",
    ".parquet",
    ".pq",
    ".arrow",
    ".feather",
    ".ipc",
)
ENOUGH = (
    100_000  # files that are looked through for one that can be read, as a whole home folder may be named
)
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
}
_SHARD = re.compile(r"-\d+-of-\d+$")
_STEM = re.compile(rf"^(?:(?P<family>.+)[-_. ])?(?P<split>{'|'.join(SPLIT_NAMES)})$", re.IGNORECASE)


def split_named(name: str) -> str | None:
    """ "train", "validation" or "test" if that is what `name` means."""
    return SPLIT_NAMES.get(name.strip().lower())


def in_street_order(split: str | None) -> int:
    """Sort key of splits: train, validation, test, none."""
    return ("train", "validation", "test", None).index(split)


def family_and_split(path: Path) -> tuple[str, str | None]:
    """ "amazon_train.csv" -> ("amazon", "train"); "test-00000-of-00002.parquet" -> ("", "test")."""
    stem = _SHARD.sub("", path.stem)
    match = _STEM.match(stem)
    return (match["family"] or "", split_named(match["split"])) if match else (stem, None)


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, sorted, without hidden files and what archives of other systems leave behind."""
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise cannot_open(folder, error) from None
    return [p for p in found if not p.name.startswith((".", "__"))]


def tables_in(folder: Path) -> list[Path]:
    """The table files of a folder. JSON files that `datasets` leaves beside its shards are no tables."""
    own = ("dataset_dict.json", "state.json", "dataset_info.json", "dataset_infos.json")
    files = [p for p in entries(folder) if p.suffix.lower() in TABLES and p.is_file()]
    return [p for p in files if p.name not in own]


def folders_in(folder: Path) -> list[Path]:
    return [p for p in entries(folder) if p.is_dir()]


def split_folders(folder: Path) -> list[Path]:
    """The sub-folders named by split, train first, if there are any and one of them is for training."""
    found = [p for p in folders_in(folder) if split_named(p.name)]
    found.sort(key=lambda p: in_street_order(split_named(p.name)))
    return found if found and split_named(found[0].name) == "train" else []


def metadata_in(folder: Path) -> list[Path]:
    """The metadata tables of an imagefolder: its own, or those of its split folders."""
    places = [folder, *split_folders(folder)]
    found = [place / name for place in places for name in METADATA if (place / name).is_file()]
    for place in places:
        here = [p.name for p in found if p.parent == place]
        if len(here) > 1:
            raise WarmstartError(f"{place} holds {' and '.join(here)}", "keep one of them", "two-tables")
    return found


def files_below(folder: Path) -> Iterator[Path]:
    """All files below a folder that are not hidden, in order; links to folders are not followed.

    Raises OSError for a folder that cannot be opened: its files would else be missing without a word.
    """

    def fail(error: OSError) -> None:
        raise error

    for place, inner, names in os.walk(folder, onerror=fail):
        inner[:] = sorted(d for d in inner if not d.startswith((".", "__")))
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def kind_of(folder: Path) -> str:
    """ "metadata", "tables", "classes" or "" for a folder in which nothing can be read."""
    if metadata_in(folder):
        return "metadata"
    splits = split_folders(folder)
    if tables_in(folder) or any(tables_in(s) for s in splits):
        return "tables"
    files = islice((f for inner in folders_in(folder) for f in files_below(inner)), ENOUGH)
    return "classes" if any(f.suffix.lower() in (*IMAGES, ".txt") for f in files) else ""
