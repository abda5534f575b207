"""Records of a delimited text file with the line each begins on, going on after a broken one."""

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

PATIENCE = 1_000_000  # lines that may be read again: stray quotes must not cost quadratic time


@dataclass(frozen=True)
class Style:
    """How fields are told apart."""

    delimiter: str
    quoted: bool = True  # a field may stand in double quotes
    backslash: bool = False  # a quote inside has a backslash before it, and not another quote
    skip_blanks: bool = False  # a blank follows each delimiter


@dataclass(frozen=True)
class Record:
    """One record: its fields, or what is wrong with it."""

    line: int
    fields: list[str] = field(default_factory=list)
    trouble: str = ""


class Lines:
    """The lines of a file, which can step back to the second line of the record being read."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.number, self.patience = file, 0, PATIENCE
        self.ahead: deque[str] = deque()
        self.record: list[str] = []

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self.ahead.popleft() if self.ahead else next(self.file)
        self.number += 1
        self.record.append(line)
        return line

    def step_back(self) -> bool:
        """Give the record's lines after its first again; False if too many were given again already."""
        again = self.record[1:]
        self.patience -= len(again)
        if self.patience < 0:
            return False
        self.ahead.extendleft(reversed(again))
        self.number -= len(again)
        return True


def records(file: TextIO, style: Style) -> Iterator[Record]:
    """Every record that is not blank. A quote that never closes spoils its own line, not those after it."""
    lines = Lines(file)
    reader = csv.reader(
        lines,
        delimiter=style.delimiter,
        quoting=csv.QUOTE_MINIMAL if style.quoted else csv.QUOTE_NONE,
        escapechar="\\" if style.backslash else None,
        doublequote=not style.backslash,
        skipinitialspace=style.skip_blanks,
        strict=True,
    )
    while True:
        first = lines.number + 1
        lines.record.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lost = "" if lines.step_back() else f", and takes the lines up to {lines.number} with it"
            yield Record(first, trouble=f"a quoted field does not end where it should{lost}")
            continue
        if any("\0" in line for line in lines.record):
            yield Record(first, trouble="it holds a NUL byte")
        elif fields:
            yield Record(first, fields)


@contextmanager
def long_fields() -> Iterator[None]:
    """The csv module stops at fields of 128 kB; a text may be longer (a check looks at that)."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)
