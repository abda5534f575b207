"""result.json: exactly the Result, for scripts; `report.read.read_result` reads it back."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar

from warmstart.base.files import write_text
from warmstart.base.result import Result
from warmstart.base.tables import to_table
from warmstart.report.words import utf8


@dataclass(frozen=True)
class Json:
    """The Result as indented JSON (UTF-8)."""

    file: ClassVar[str] = "result.json"

    def write(self, result: Result, folder: Path) -> Path:
        """Write `folder`/result.json, whole or not at all, and return its path.

        Raises ValueError, with their paths, if the result holds numbers that JSON cannot (NaN, infinity).
        """
        table = to_table(result)
        if wrong := list(non_finite(table)):
            raise ValueError(f"a result holds numbers that are not finite: {', '.join(wrong[:5])}")
        path = folder / self.file
        write_text(path, utf8(json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False)) + "\n")
        return path


def non_finite(table: Any, path: str = "") -> Iterator[str]:
    """Paths of the numbers that are NaN or infinite: "ranking.0.opinions.logme"."""
    if isinstance(table, dict):
        for key, value in table.items():
            yield from non_finite(value, f"{path}.{key}" if path else str(key))
    elif isinstance(table, list):
        for i, value in enumerate(table):
            yield from non_finite(value, f"{path}.{i}")
    elif isinstance(table, float) and not isfinite(table):
        yield path


FORM = Json
