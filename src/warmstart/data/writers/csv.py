"""Delimited text again: the same delimiter, in UTF-8, quotes where they are needed."""

import csv
from dataclasses import dataclass
from pathlib import Path

from warmstart.data.readers.csv import CsvReader
from warmstart.data.writers import Copied, Edit


@dataclass(frozen=True)
class CsvWriter:
    """A .csv, .tsv or .tab file. Lines that cannot be read are left out."""

    def copy(self, source: Path, target: Path, edit: Edit) -> Copied:
        parsed, style = CsvReader().parsed(source)
        number = 0
        with target.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, delimiter=style.delimiter, lineterminator="\n")
            table.writerow(parsed.header)
            for chunk in parsed.chunks:
                for row in chunk.to_pylist():
                    if number not in edit.dropped:
                        table.writerow({**row, **edit.changed(number)}.values())
                    number += 1
        return Copied(number, tuple((f"{source.name}:{line}", why) for line, why in parsed.bad))


WRITER = CsvWriter
