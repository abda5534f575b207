"""JSON lines again: a line that is not changed stays as it is, to the last digit."""

import json
from dataclasses import dataclass
from pathlib import Path

from warmstart.data.decode import encoding_of
from warmstart.data.readers.jsonl import parse
from warmstart.data.writers import Copied, Edit


@dataclass(frozen=True)
class JsonlWriter:
    """A .jsonl or .ndjson file, in UTF-8. Lines that cannot be read are left out."""

    def copy(self, source: Path, target: Path, edit: Edit) -> Copied:
        number, lost = 0, []
        with source.open(encoding=encoding_of(source)) as file, target.open("w", encoding="utf-8") as copy:
            for line, text in enumerate(file, 1):
                if not text.strip():
                    continue
                trouble = parse(text)[1]
                if trouble:
                    lost.append((f"{source.name}:{line}", trouble))
                    continue
                if number not in edit.dropped:
                    copy.write(changed(text.strip(), edit.changed(number)) + "\n")
                number += 1
        return Copied(number, tuple(lost))


def changed(line: str, cells: dict[str, str]) -> str:
    """An object with new values of some keys."""
    return json.dumps({**json.loads(line), **cells}, ensure_ascii=False) if cells else line


WRITER = JsonlWriter
