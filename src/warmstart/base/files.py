"""Writing files so that a reader sees the old content or the new, never half of either."""

import json
import os
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.tables import to_table


def expanded(path: str | Path) -> Path:
    """The path with ~ and ~user spelled out; as it is where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) to `path` through a temporary file beside it and a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value (dataclasses welcome) as indented JSON; NaN and infinity are refused."""
    write_text(path, as_json(value) + "\n")


def as_json(value: Any) -> str:
    """Indented JSON in readable letters; escaped where a file name that is no UTF-8 could not be written."""
    table = to_table(value)
    text = json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(table, indent=2, allow_nan=False)
    return text


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def read_table(path: Path, do: str, code: str) -> dict[str, Any]:
    """The JSON object in a file; what is missing, damaged or no object is a WarmstartError of this code."""
    try:
        table = read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise WarmstartError(f"{path} cannot be read ({type(error).__name__})", do, code) from None
    if not isinstance(table, dict):
        raise WarmstartError(f"{path} holds no table", do, code)
    return table
