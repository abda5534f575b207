"""What a word of the command line asks about: a text, a file of text, each row of a table, pictures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.files import expanded
from warmstart.data.join import text_of
from warmstart.data.readers._folders import IMAGES, TABLES, files_below
from warmstart.data.readers._table import BASE, WHERE, user_columns
from warmstart.data.source import read

TEXTS = (".txt", ".md")  # suffixes of files that are one text
STDIN = "-"


class Question(NamedTuple):
    """One input; `truth` is its label where the table has one."""

    name: str
    value: object
    truth: str = ""


class Learned(NamedTuple):
    """Columns of the table that was learned from; empty where they are not known."""

    column: str = ""
    label: str = ""


UNKNOWN = Learned()


def questions(word: str, modality: str, learned: Learned = UNKNOWN) -> list[Question]:
    """What the word asks; "-" reads lines from standard input.

    Raises WarmstartError for what is not there or cannot be read.
    """
    if word == STDIN:
        return [asked for line in lines() for asked in questions(line, modality, learned)]
    path = expanded(word)
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, ValueError):  # a long text is no file name
        is_file = is_folder = False
    suffix = path.suffix.lower()
    if is_file and suffix in TABLES and suffix != ".txt":
        return rows_of(str(path), learned, modality)
    if modality == "image":
        return pictures(path, is_file, is_folder)
    if is_file and suffix in TEXTS:
        return [Question(path.name, whole_text(path))]
    if not is_file and suffix in (*TABLES, ".txt") and not any(c.isspace() for c in word):
        raise WarmstartError(f"{word}: there is no such file", "check the path", "no-input")
    if not word.strip():
        raise WarmstartError("the text is empty", "give a text, a text file or a table", "no-input")
    return [Question(word, word)]


def many(word: str, modality: str, learned: Learned = UNKNOWN) -> list[Question]:
    """The same of a file, a folder of pictures or "-"; a word that is none of them is no text here."""
    try:
        there = word == STDIN or expanded(word).is_file() or (modality == "image" and expanded(word).is_dir())
    except (OSError, ValueError):
        there = False
    if not there:
        kinds = "a table or a folder of pictures" if modality == "image" else "a table of texts"
        raise WarmstartError(f"{word}: there is no such file", f"give {kinds}, or - for lines", "no-input")
    return questions(word, modality, learned)


def lines() -> Iterator[str]:
    """Lines of standard input that are not blank; a line "-" is a text like any other."""
    found = [line for line in sys.stdin.read().splitlines() if line.strip() and line.strip() != STDIN]
    if not found:
        raise WarmstartError("standard input has no lines", "give a text or a picture a line", "no-input")
    return iter(found)


def pictures(path: Path, is_file: bool, is_folder: bool) -> list[Question]:
    """A picture, or all below a folder."""
    files = [p for p in files_below(path) if p.suffix.lower() in IMAGES] if is_folder else [path]
    if not (is_file or is_folder):
        raise WarmstartError(f"{path}: no such picture", "give a picture or a folder of them", "no-input")
    if not files:
        raise WarmstartError(f"{path}: no pictures in this folder", f"one of {', '.join(IMAGES)}", "no-input")
    return [Question(str(file), str(file)) for file in files]


def whole_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise WarmstartError(
            f"{path}: byte {error.start} is not UTF-8", "save the text as UTF-8", "wrong-encoding"
        ) from None
    except OSError as error:
        raise WarmstartError(f"{path}: {error.strerror}", "check the file", "unreadable") from None


def rows_of(source: str, learned: Learned, modality: str) -> list[Question]:
    """The inputs of a table, each with the place of its row; an empty cell is an empty text."""
    table = read(source)
    columns = user_columns(table)
    free = [name for name in columns if name != learned.label]
    cells = table.column(input_column(free, learned.column, source, modality))
    truths = text_of(table.column(learned.label)).to_pylist() if learned.label in columns else []
    values = inputs_of(cells, table.column(BASE).to_pylist(), modality)
    return [
        Question(where, value, (truths[i] or "").strip() if truths else "")
        for i, (where, value) in enumerate(zip(table.column(WHERE).to_pylist(), values, strict=True))
    ]


def inputs_of(cells: Any, bases: list[str], modality: str) -> list[object]:
    """Texts; or pictures, whose paths begin at the table's folder."""
    if modality != "image":
        return [text or "" for text in text_of(cells).to_pylist()]
    return [
        str(Path(base, value)) if isinstance(value, str) else value
        for value, base in zip(cells.to_pylist(), bases, strict=True)
    ]


def input_column(names: list[str], learned: str, source: str, modality: str) -> str:
    """The column that was learned from, else "text" or "image", else the only one."""
    for known in (learned, modality):
        if known in names:
            return known
    if len(names) == 1:
        return names[0]
    wanted = learned or modality
    raise WarmstartError(
        f"{source}: no column {wanted!r} among {', '.join(names)[:200]}",
        f"call the column of {modality}s {wanted!r}, as in training; {did_you_mean(wanted, names)}",
        "missing-column",
    )
