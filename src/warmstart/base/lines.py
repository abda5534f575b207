"""A table as one line of JSON that shows whether it was damaged: its last entry is a checksum of the rest."""

import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32

OPENING = b', "check": "'


def to_line(table: Mapping[str, Any]) -> bytes:
    """One line of ASCII, without its end; the table must not be empty."""
    body = json.dumps(table).encode()
    return body[:-1] + OPENING + f"{crc32(body):08x}".encode() + b'"}'


def from_line(line: bytes) -> dict[str, Any] | None:
    """The table of a line that `to_line` wrote; None where a bit of it is missing or another one."""
    body, opening, check = line.rpartition(OPENING)
    body += b"}"
    if not opening or check != f'{crc32(body):08x}"}}'.encode():
        return None
    table = json.loads(body)
    return table if isinstance(table, dict) else None
