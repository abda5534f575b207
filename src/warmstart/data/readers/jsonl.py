"""JSON lines: one object on each line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.data.decode import empty, encoding_of
from warmstart.data.readers._records import DECODER, columns_of, trouble_in, trouble_of
from warmstart.data.readers._table import finish, quarantined


@dataclass(frozen=True)
class JsonlReader:
    """Rows of a .jsonl or .ndjson file."""

    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")

    def fits(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def rows(self, path: Path) -> Any:
        good: list[dict[str, Any]] = []
        where: list[str] = []
        bad: list[tuple[int, str]] = []
        with path.open(encoding=encoding_of(path)) as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                record, trouble = parse(line)
                if trouble:
                    bad.append((number, trouble))
                else:
                    good.append(record)
                    where.append(f"{path.name}:{number}")
        if not good and not bad:
            raise empty(path)
        findings = quarantined(path.name, bad, len(good), "broken-json")
        return finish(columns_of(good, path.name), where, path.parent, path.name, findings=findings)


def parse(line: str) -> tuple[Any, str]:
    """The object of one line, and what is wrong with it."""
    try:
        record = DECODER.decode(line.strip())
    except (ValueError, RecursionError) as error:
        return None, trouble_of(error)
    return record, trouble_in(record)


READER = JsonlReader
