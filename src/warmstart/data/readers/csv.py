"""Delimited text: comma, semicolon, tab or bar; every value stays the string that the file holds."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.data.decode import empty, encoding_of
from warmstart.data.names import KNOWN
from warmstart.data.readers._lines import Style, long_fields, records
from warmstart.data.readers._table import check_names, finish, quarantined, strings

ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class CsvReader:
    """Rows of a .csv, .tsv or .tab file whose first line names the columns."""

    suffixes: tuple[str, ...] = (".csv", ".tsv", ".tab")
    delimiters: str = ",\t;|"

    def fits(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def rows(self, path: Path) -> Any:
        return self.parsed(path)[0].table(path)

    def parsed(self, path: Path) -> "tuple[Parsed, Style]":
        """All rows, and the style that reads most of them."""
        encoding = encoding_of(path)
        best = None
        with long_fields():
            for style in self._styles(path, encoding):
                parsed = _parse(path, encoding, style)
                best = (parsed, style) if best is None or len(parsed.bad) < len(best[0].bad) else best
                if not best[0].bad:
                    break
        assert best is not None
        return best

    def _styles(self, path: Path, encoding: str) -> Iterator[Style]:
        """The style to read with; more than one only where the file shows signs of an unusual one."""
        with path.open(encoding=encoding, newline="") as file:
            sample = file.read(1 << 18)
        delimiter = sniff_delimiter(sample, self.delimiters)
        header = sample.lstrip().partition("\n")[0]
        yield Style(delimiter, skip_blanks=f'{delimiter} "' in header)
        if delimiter == "\t" and '"' in sample:
            yield Style(delimiter, quoted=False)
        if '\\"' in sample:
            yield Style(delimiter, backslash=True)


def sniff_delimiter(sample: str, delimiters: str) -> str:
    """The delimiter under which most records have as many fields as the header, and at least two."""
    scores = []
    for place, delimiter in enumerate(delimiters):
        lines = io.StringIO(sample, newline="")
        found = [
            len(fields)
            for fields, _ in zip(csv.reader(lines, delimiter=delimiter), range(200), strict=False)
            if fields
        ]
        if found and found[0] > 1:
            scores.append((sum(n == found[0] for n in found) / len(found), found[0], -place, delimiter))
    return max(scores)[-1] if scores else delimiters[0]


@dataclass
class Parsed:
    """What one pass over a file gave: chunks of rows, the line of each, and what could not be read."""

    header: list[str]
    chunks: list[Any]
    lines: list[int]
    bad: list[tuple[int, str]]

    def table(self, path: Path) -> Any:
        import pyarrow as pa

        name = path.name
        findings = quarantined(name, self.bad, len(self.lines), "ragged-rows")
        if not self.lines:
            raise WarmstartError(
                f"{name} has a header ({', '.join(self.header)[:80]}) but no rows", "add rows", "no-rows"
            )
        table = pa.concat_tables(self.chunks)
        _refuse_data_as_header(table, name)
        keep = [c for c in table.column_names if not _is_filler(c, table)]
        where = [f"{name}:{line}" for line in self.lines]
        return finish(table.select(keep), where, path.parent, name, findings=findings)


def _parse(path: Path, encoding: str, style: Style) -> Parsed:
    with path.open(encoding=encoding, newline="") as file:
        found = records(file, style)
        first = next(
            (record for record in found if record.trouble or any(map(str.strip, record.fields))), None
        )
        if first is None:
            raise empty(path)
        if first.trouble:
            raise WarmstartError(
                f"{path.name}, line {first.line}: {first.trouble}", "correct the header", "ragged-rows"
            )
        parsed = Parsed(_header(first.fields, path.name), [], [], [])
        rows: list[list[str]] = []
        for record in found:
            trouble = record.trouble or _trouble(record.fields, parsed.header)
            if trouble:
                parsed.bad.append((record.line, trouble))
                continue
            rows.append(record.fields)
            parsed.lines.append(record.line)
            if len(rows) == ROWS_AT_ONCE:
                parsed.chunks.append(_chunk(parsed.header, rows))
                rows = []
        if rows:
            parsed.chunks.append(_chunk(parsed.header, rows))
    return parsed


def _chunk(header: list[str], rows: list[list[str]]) -> Any:
    return strings({name: list(values) for name, values in zip(header, zip(*rows, strict=True), strict=True)})


def _header(fields: list[str], name: str) -> list[str]:
    names = [field.strip() or f"column_{number}" for number, field in enumerate(fields, 1)]
    check_names(names, name)
    return names


def _trouble(fields: list[str], header: list[str]) -> str:
    if len(fields) != len(header):
        return f"{len(fields)} field{'s' * (len(fields) != 1)} where the header has {len(header)}"
    return "it repeats the header" if [f.strip() for f in fields] == header else ""


def _is_filler(name: str, table: Any) -> bool:
    """A column without a name and without a value: the header and every row end with a delimiter."""
    import pyarrow.compute as pc

    return name.startswith("column_") and not pc.any(pc.not_equal(table.column(name), "")).as_py()


def _refuse_data_as_header(table: Any, name: str) -> None:
    """A first line such as `Great film,positive` is data: its words come back as values of their columns."""
    import pyarrow.compute as pc

    if any(column.lower() in KNOWN for column in table.column_names):
        return
    for column in table.column_names:
        values = table.column(column)
        if pc.any(pc.equal(values, column)).as_py() and pc.count_distinct(values).as_py() * 2 <= len(values):
            raise WarmstartError(
                f"{name}, line 1: {column!r} is also a value of its column: the file seems to have no header",
                "add a first line that names the columns, such as: text,label",
                "no-header",
            )


READER = CsvReader
