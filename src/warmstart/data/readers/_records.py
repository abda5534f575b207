"""JSON objects -> columns of strings; numbers keep the digits that the file holds."""

import json
from collections.abc import Sequence
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.data.readers._table import MOST_COLUMNS, strings


class DuplicateKey(ValueError):
    """A JSON object that names a key twice: which value is meant cannot be known."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        raise DuplicateKey(f"key {next(n for n in names if names.count(n) > 1)!r} appears twice")
    return table


DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_unique)


def trouble_of(error: Exception) -> str:
    """A decoding error in words."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]} (column {error.colno})"
    return str(error) if isinstance(error, DuplicateKey) else "it is nested too deeply"


def as_text(value: Any) -> str | None:
    """A value as the string that stands in the table; None is a missing value."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def trouble_in(record: Any) -> str:
    """Why a decoded value cannot be a row; "" if it can."""
    if not isinstance(record, dict):
        return 'it is not an object like {"text": ..., "label": ...}'
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair (\\ud800 to \\udfff), which is not text"
    return ""


def columns_of(records: Sequence[dict[str, Any]], name: str) -> Any:
    """A table with a column for every key, in order of first appearance; a missing key is a missing value."""
    keys = list(dict.fromkeys(key for record in records for key in record))
    if len(keys) > MOST_COLUMNS:
        raise WarmstartError(
            f"{name}: its objects have {len(keys):,} different keys",
            "give every object the same keys",
            "too-many-columns",
        )
    return strings({key: [as_text(record.get(key)) for record in records] for key in keys})
