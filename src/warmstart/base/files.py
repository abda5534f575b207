"""Writing files so that a reader sees the old content or the new, never half of either."""

import json
import os
from pathlib import Path
from typing import Any

from warmstart.base.tables import to_table


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
    text = json.dumps(to_table(value), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
