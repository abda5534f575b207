"""What a word of the command line asks about: a text, a file of text, each row of a table, pictures."""

from __future__ import annotations

from pathlib import Path

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.files import expanded
from warmstart.data.join import text_of
from warmstart.data.readers._folders import IMAGES, TABLES, files_below
from warmstart.data.readers._table import WHERE, user_columns
from warmstart.data.source import read

TEXTS = (".txt", ".md", "")  # suffixes of files that are one text


def questions(word: str, modality: str, column: str = "") -> list[tuple[str, object]]:
    """Name and value of each; `column` is where texts stood in the table that was learned from.

    Raises WarmstartError for what is not there or cannot be read.
    """
    path = expanded(word)
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
    except OSError:  # a long text is no file name
        is_file = is_folder = False
    if modality == "image":
        return pictures(path, is_file, is_folder)
    if is_folder:
        raise WarmstartError(f"{word} is a folder", "name a text, a text file or a table", "no-input")
    if is_file and path.suffix.lower() in TEXTS:
        return [(path.name, whole_text(path))]
    if is_file:
        return rows_of(str(path), column)
    if path.suffix.lower() in (*TABLES, ".txt") and not any(c.isspace() for c in word):
        raise WarmstartError(f"{word}: there is no such file", "check the path", "no-input")
    return [(word, word)]


def pictures(path: Path, is_file: bool, is_folder: bool) -> list[tuple[str, object]]:
    """A picture, or all below a folder."""
    files = [p for p in files_below(path) if p.suffix.lower() in IMAGES] if is_folder else [path]
    if not (is_file or is_folder):
        raise WarmstartError(f"{path}: no such picture", "give a picture or a folder of them", "no-input")
    if not files:
        raise WarmstartError(f"{path}: no pictures in this folder", f"one of {', '.join(IMAGES)}", "no-input")
    return [(str(file), str(file)) for file in files]


def whole_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise WarmstartError(
            f"{path}: byte {error.start} is not UTF-8", "save the text as UTF-8", "wrong-encoding"
        ) from None
    except OSError as error:
        raise WarmstartError(f"{path}: {error.strerror}", "check the file", "unreadable") from None


def rows_of(source: str, column: str) -> list[tuple[str, object]]:
    """The texts of a table, each with the place of its row; an empty cell is an empty text."""
    table = read(source)
    name = text_column(user_columns(table), column, source)
    texts = text_of(table.column(name)).to_pylist()
    return [(where, text or "") for where, text in zip(table.column(WHERE).to_pylist(), texts, strict=True)]


def text_column(names: list[str], learned: str, source: str) -> str:
    """The column that was learned from, else "text", else the only one."""
    for known in (learned, "text"):
        if known in names:
            return known
    if len(names) == 1:
        return names[0]
    wanted = learned or "text"
    raise WarmstartError(
        f"{source}: no column {wanted!r} among {', '.join(names)[:200]}",
        f"call the column of texts {wanted!r}, as in training; {did_you_mean(wanted, names)}",
        "missing-column",
    )
