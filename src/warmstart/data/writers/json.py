"""A JSON document again, in the layout that it has: a list, lists by split, lists by column, or lines."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.data.decode import read_text
from warmstart.data.readers._folders import split_named
from warmstart.data.readers._records import trouble_in
from warmstart.data.writers import Copied, Edit
from warmstart.data.writers.jsonl import JsonlWriter


@dataclass(frozen=True)
class JsonWriter:
    """A .json file, in UTF-8."""

    def copy(self, source: Path, target: Path, edit: Edit) -> Copied:
        try:
            document = json.loads(read_text(source))
        except ValueError:  # lines that are called .json
            return JsonlWriter().copy(source, target, edit)
        if isinstance(document, dict) and _is_row(document):
            return JsonlWriter().copy(source, target, edit)
        again, copied = _again(document, edit, source.name)
        target.write_text(json.dumps(again, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return copied


def _is_row(document: dict[str, Any]) -> bool:
    """A single object with nothing in it but values is one line of JSON lines."""
    return not any(isinstance(value, list) for value in document.values())


def _again(document: Any, edit: Edit, name: str) -> tuple[Any, Copied]:
    if isinstance(document, list):
        rows, lost = _kept(document, edit)
        bad = tuple((name, trouble) for trouble in lost)
        return rows, Copied(len(document) - len(lost), bad)
    lists = {key: value for key, value in document.items() if isinstance(value, list)}
    tables = {k: v for k, v in lists.items() if v and all(isinstance(row, dict) for row in v)}
    tables = {k: v for k, v in tables.items() if split_named(k)} or tables
    if tables:
        again, number = dict(document), 0
        for key, table in tables.items():
            again[key] = _kept(table, edit.after(number))[0]
            number += len(table)
        return again, Copied(number)
    records = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    rows, _ = _kept(records, edit)
    return {key: [row[key] for row in rows] for key in lists}, Copied(len(records))


def _kept(elements: list[Any], edit: Edit) -> tuple[list[Any], list[str]]:
    """The rows that stay, changed, and the troubles of what is no row."""
    rows: list[Any] = []
    lost: list[str] = []
    number = 0
    for element in elements:
        trouble = trouble_in(element)
        if trouble:
            lost.append(trouble)
            continue
        if number not in edit.dropped:
            rows.append({**element, **edit.changed(number)})
        number += 1
    return rows, lost


WRITER = JsonWriter
