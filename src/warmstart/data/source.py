"""What the user names -> one table of rows with their places and splits."""

from itertools import islice
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.data.images import is_file
from warmstart.data.join import join
from warmstart.data.names import flag
from warmstart.data.readers import reader_for
from warmstart.data.readers._folders import IMAGES, TABLES, entries
from warmstart.data.readers._table import SPLIT, placed, user_columns

PACKED = (".zip", ".gz", ".tar", ".tgz", ".xz", ".bz2", ".7z", ".rar")


def read(source: str) -> Any:
    """The rows of a file, folder or hub id as a pyarrow Table (see `readers.Reader`).

    Raises WarmstartError for whatever cannot be read.
    """
    path = path_of(source)
    try:
        reader = reader_for(path) if source.strip() else None
        if reader is None:
            raise _unreadable(path, source)
        return reader.rows(path)
    except UnicodeEncodeError as error:
        wrong = f"a file name in {source[:200]!r} is not UTF-8: {error.object[-80:]!r}"
        raise WarmstartError(wrong, "rename it", "file-name") from None
    except OSError as error:  # a name too long, a file taken away while it is read, a broken disk
        why = (error.strerror or type(error).__name__).lower()
        wrong = f"{str(error.filename or source)[:200]} cannot be read: {why}"
        raise WarmstartError(wrong, "check the path and its permissions", "unreadable") from None


def path_of(source: str) -> Path:
    """The path that a user means, "~" included."""
    try:
        return Path(source).expanduser()
    except RuntimeError:  # "~somebody" who is not known here
        return Path(source)


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
                f"{source} has a {split} split of its own, and {flag(split, name)} names another",
                f"leave out {flag(split, name)}, or name the training file alone",
                "two-tests",
            )
        if _same(source, name):
            raise WarmstartError(
                f"{flag(split, name)} is the source itself",
                f"leave out {flag(split, name)}: rows are set apart for it",
                "two-tests",
            )
        tables.append(placed(read(name), _prefix(source, name), split))
        _must_share_columns(main, tables[-1], name)
        own.add(split)
    return join(tables), frozenset(own - {"train"})


def _same(a: str, b: str) -> bool:
    try:
        return path_of(a).samefile(path_of(b))
    except (OSError, ValueError):
        return False  # one of them is not there; reading it says so


def _prefix(source: str, name: str) -> str:
    """What tells the places of a second source from those of the first."""
    path = path_of(name)
    if path.is_dir():
        return f"{path.name}/"
    return f"{path.absolute().parent.name}/" if path.name == Path(source).name else ""


def _must_share_columns(main: Any, other: Any, name: str) -> None:
    ours, theirs = set(user_columns(main)), set(user_columns(other))
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
        return _unknown_kind(path)
    if path.exists():
        return WarmstartError(
            f"{path} is neither a file nor a folder", "name a file or a folder", "missing-file"
        )
    near = islice(path.parent.iterdir(), 2000) if path.parent.is_dir() else ()
    beside = [p.name for p in near if not is_file(p / "run.json")]  # a run is no data, least of all this one
    advice = did_you_mean(path.name, beside)
    advice = advice if advice.startswith("did") else "check the path"
    return WarmstartError(f"no file or folder {source[:200]}", advice, "missing-file")


def _unknown_kind(path: Path) -> WarmstartError:
    kind = f"a {path.suffix} file" if path.suffix else "a file without a suffix"
    advice = f"use one of {', '.join(TABLES)}, or a folder with one sub-folder per class"
    if path.suffix in PACKED:
        advice = "unpack it first"
    return WarmstartError(f"{path.name} is {kind}, which no reader knows", advice, "unknown-suffix")


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
