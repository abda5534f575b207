"""What the user names -> one table of rows with their places and splits."""

from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.data.join import join
from warmstart.data.readers import reader_for
from warmstart.data.readers._folders import IMAGES, TABLES, entries
from warmstart.data.readers._table import BASE, SPLIT, WHERE, placed


def read(source: str) -> Any:
    """The rows of a file, folder or hub id as a pyarrow Table (see `readers.Reader`).

    Raises WarmstartError for whatever cannot be read.
    """
    path = Path(source).expanduser()
    try:
        reader = reader_for(path) if source.strip() else None
        if reader is None:
            raise _unreadable(path, source)
        return reader.rows(path)
    except OSError as error:  # a name too long, a file taken away while it is read, a broken disk
        why = (error.strerror or type(error).__name__).lower()
        raise WarmstartError(
            f"{source[:200]} cannot be read: {why}", "check the path", "unreadable"
        ) from None


def read_all(source: str, test: str | None, validation: str | None) -> tuple[Any, frozenset[str]]:
    """The rows of the source and of the files named for other splits, and which splits the user brought."""
    main = read(source)
    own = {s for s in main.column(SPLIT).to_pylist() if s}
    tables = [main]
    for split, name in (("validation", validation), ("test", test)):
        if name is None:
            continue
        if split in own:
            raise WarmstartError(
                f"{source} has a {split} split of its own, and --{split} names {name}",
                f"leave out --{split}, or name the training file alone",
                "two-tests",
            )
        if _same(source, name):
            raise WarmstartError(
                f"--{split} {name} is the source itself",
                f"leave out --{split}: rows are set apart for it",
                "two-tests",
            )
        tables.append(placed(read(name), _prefix(source, name), split))
        _must_share_columns(main, tables[-1], name)
        own.add(split)
    return join(tables), frozenset(own - {"train"})


def _same(a: str, b: str) -> bool:
    try:
        return Path(a).expanduser().samefile(Path(b).expanduser())
    except (OSError, ValueError):
        return False  # one of them is not there; reading it says so


def _prefix(source: str, name: str) -> str:
    """What tells the places of a second source from those of the first."""
    path = Path(name).expanduser()
    if path.is_dir():
        return f"{path.name}/"
    return f"{path.absolute().parent.name}/" if path.name == Path(source).name else ""


def _must_share_columns(main: Any, other: Any, name: str) -> None:
    hidden = {WHERE, SPLIT, BASE}
    ours, theirs = set(main.column_names) - hidden, set(other.column_names) - hidden
    if not ours & theirs:
        has, need = (", ".join(sorted(names))[:120] for names in (theirs, ours))
        raise WarmstartError(
            f"{name} has columns {has}; the training rows have {need}",
            "give both the same names",
            "missing-column",
        )


def _unreadable(path: Path, source: str) -> WarmstartError:
    """Why no reader fits, in the words of what is there."""
    if not source.strip():
        return WarmstartError("no data is named", "name a file, a folder or a hub id", "missing-file")
    if path.is_dir():
        return _nothing_in(path)
    if path.is_file():
        kind = f"a {path.suffix} file" if path.suffix else "a file without a suffix"
        advice = (
            "unpack it first" if path.suffix in (".zip", ".gz", ".tar", ".tgz", ".xz", ".bz2", ".7z") else ""
        )
        return WarmstartError(
            f"{path.name} is {kind}, which no reader knows",
            advice or f"use one of {', '.join(TABLES)}, or a folder with one sub-folder per class",
            "unknown-suffix",
        )
    if path.exists():
        return WarmstartError(
            f"{path} is neither a file nor a folder", "name a file or a folder", "missing-file"
        )
    near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    advice = did_you_mean(path.name, near) if near else "check the path"
    return WarmstartError(
        f"no file or folder {source[:200]}",
        advice if advice.startswith("did") else "check the path",
        "missing-file",
    )


def _nothing_in(folder: Path) -> WarmstartError:
    found = [p.name for p in entries(folder)]
    images = sum(p.suffix.lower() in IMAGES for p in entries(folder))
    if images:
        return WarmstartError(
            f"folder {folder.name} holds {images:,} images, but nothing says which class each is",
            "put the images of each class in a sub-folder, or add metadata.csv with file_name and label",
            "no-classes",
        )
    holds = f"it holds {', '.join(found[:5])}{' ...' if len(found) > 5 else ''}" if found else "it is empty"
    return WarmstartError(
        f"folder {folder.name} has nothing that can be read: {holds}",
        f"put in {', '.join(TABLES[:4])} ... files, or one sub-folder per class with images or .txt files",
        "nothing-readable",
    )
