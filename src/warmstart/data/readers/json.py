"""A JSON document: a list of objects, lists by split, lists by column, or JSON lines named .json."""

from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.data.decode import empty, read_text
from warmstart.data.readers._folders import split_named
from warmstart.data.readers._records import DECODER, columns_of, trouble_in, trouble_of
from warmstart.data.readers._table import finish, quarantined
from warmstart.data.readers.jsonl import JsonlReader

BLANKS = " \t\r\n"


@dataclass(frozen=True)
class JsonReader:
    """Rows of a .json file."""

    suffixes: tuple[str, ...] = (".json",)

    def fits(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def rows(self, path: Path) -> Any:
        text = read_text(path)
        start = _skip(text, 0)
        if start == len(text):
            raise empty(path)
        try:
            if text[start] == "[":
                return _from_list(list(_elements(text, start)), path)
            document, end = DECODER.raw_decode(text, start)
        except JSONDecodeError as error:
            if text[start] == "{" and error.lineno == 1 + text.count("\n", 0, start):
                return JsonlReader().rows(path)  # its first line is broken, the others may not be
            raise _broken(path, error) from None
        except (ValueError, RecursionError) as error:
            raise WarmstartError(
                f"{path.name}: {trouble_of(error)}", "correct the file", "broken-json"
            ) from None
        if _skip(text, end) < len(text):
            return JsonlReader().rows(path)
        return _from_object(document, path)


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in BLANKS:
        place += 1
    return place


def _elements(text: str, start: int) -> Iterator[tuple[int, Any]]:
    """The elements of the list that begins at `start`, each with its line number."""
    place, line, seen = _skip(text, start + 1), 1, 0
    while text[place : place + 1] != "]":
        line, seen = line + text.count("\n", seen, place), place
        element, place = DECODER.raw_decode(text, place)
        yield line, element
        place = _skip(text, place)
        if text[place : place + 1] not in ("]", ","):
            raise JSONDecodeError("Expecting ',' or ']'", text, place)
        if text[place] == ",":
            place = _skip(text, place + 1)
    if _skip(text, place + 1) < len(text):
        raise JSONDecodeError("Extra data", text, _skip(text, place + 1))


def _broken(path: Path, error: JSONDecodeError) -> WarmstartError:
    return WarmstartError(
        f"{path.name}, line {error.lineno}: {trouble_of(error)}",
        "correct the file, or write one object a line and call it .jsonl: then one broken line costs one row",
        "broken-json",
    )


def _from_list(elements: list[tuple[int, Any]], path: Path) -> Any:
    name = path.name
    seen = [(line, element, trouble_in(element)) for line, element in elements]
    bad = [(line, trouble) for line, _, trouble in seen if trouble]
    good = [(line, element) for line, element, trouble in seen if not trouble]
    findings = quarantined(name, bad, len(good), "broken-json")
    columns = columns_of([element for _, element in good], name)
    return finish(columns, [f"{name}:{line}" for line, _ in good], path.parent, name, findings=findings)


def _from_object(document: Any, path: Path) -> Any:
    """{"train": [...], "test": [...]}, {"data": [...]} or {"text": [...], "label": [...]}."""
    lists = {k: v for k, v in document.items() if isinstance(v, list)} if isinstance(document, dict) else {}
    tables = {k: v for k, v in lists.items() if v and all(isinstance(x, dict) for x in v)}
    named = {k: v for k, v in tables.items() if split_named(k)}
    if named or len(tables) == 1:
        return _from_tables(named or tables, path)
    lengths = {len(v) for v in lists.values()}
    if len(lengths) == 1 and len(lists) == len(document) and not tables:
        records = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
        return _from_tables({"": records}, path)
    held = f"an object of {', '.join(document)[:80]}" if isinstance(document, dict) else "a single value"
    raise WarmstartError(
        f"{path.name} holds {held}, not rows",
        'write a list of objects: [{"text": ..., "label": ...}, ...]',
        "unknown-layout",
    )


def _from_tables(tables: dict[str, list[dict[str, Any]]], path: Path) -> Any:
    rows = [(key, i, row) for key, table in tables.items() for i, row in enumerate(table)]
    bad = [f"{key}[{i}]: {trouble}" for key, i, row in rows if (trouble := trouble_in(row))]
    if bad:
        raise WarmstartError(f"{path.name}, {bad[0]}", "correct it", "broken-json")
    columns = columns_of([row for _, _, row in rows], path.name)
    where = [f"{path.name}:{key}[{i}]" for key, i, _ in rows]
    return finish(columns, where, path.parent, path.name, [split_named(key) for key, _, _ in rows])


READER = JsonReader
