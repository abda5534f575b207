"""What every reader returns: the user's columns, where each row came from, and what the reader noticed."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.tables import to_table
from warmstart.base.types import Finding

WHERE, SPLIT, BASE = "_where", "_split", "_ws_base"
OWN = "_ws_"  # beginning of the names of columns that do not reach the bundle
MOST_COLUMNS = 2_000
_FINDINGS = b"warmstart.findings"


def finish(
    columns: Any,
    where: Sequence[str],
    base: Path,
    name: str,
    splits: str | None | Sequence[str | None] = None,
    findings: Iterable[Finding] = (),
) -> Any:
    """A reader's answer: `columns` (a pyarrow Table, N rows) with `_where`, `_split`, `_ws_base` beside them.

    `splits` is one split for all rows or one for each. Raises WarmstartError for no rows, and for duplicate,
    reserved and too many column names; `name` is the file in the message.
    """
    import pyarrow as pa

    check_names(columns.column_names, name)
    rows = columns.num_rows
    if not rows:
        raise WarmstartError(f"{name} has no rows", "add rows, or name another file", "no-rows")
    given = [splits] * rows if splits is None or isinstance(splits, str) else splits
    numbers = pa.array([0] * rows, pa.int32())
    table = columns.append_column(WHERE, pa.array(where, pa.large_string()))
    table = table.append_column(SPLIT, pa.array(given, pa.large_string()))
    folder = pa.array([str(base.absolute())], pa.large_string())
    table = table.append_column(BASE, pa.DictionaryArray.from_arrays(numbers, folder))
    return with_findings(table, findings)


def placed(table: Any, prefix: str = "", split: str | None = None) -> Any:
    """The same rows with `prefix` before each place, and all in `split` if one is given."""
    import pyarrow as pa

    if prefix:
        where = pa.array([prefix + place for place in table.column(WHERE).to_pylist()], pa.large_string())
        table = table.set_column(table.column_names.index(WHERE), WHERE, where)
    if split:
        splits = pa.array([split] * table.num_rows, pa.large_string())
        table = table.set_column(table.column_names.index(SPLIT), SPLIT, splits)
    return table


def user_columns(table: Any) -> list[str]:
    """The names of the columns that the user brought."""
    return [n for n in table.column_names if n not in (WHERE, SPLIT) and not n.startswith(OWN)]


def with_findings(table: Any, findings: Iterable[Finding]) -> Any:
    """The table carrying these findings, and no other metadata."""
    return table.replace_schema_metadata({_FINDINGS: json.dumps(to_table(tuple(findings)))})


def findings_of(table: Any) -> tuple[Finding, ...]:
    """What the reader noticed."""
    text = (table.schema.metadata or {}).get(_FINDINGS, b"[]")
    return tuple(Finding(**{**f, "where": tuple(f["where"])}) for f in json.loads(text))


def check_names(names: Sequence[str], name: str) -> None:
    """Refuse column names that appear twice, that this program keeps for itself, or that are too many."""
    if len(names) > MOST_COLUMNS:
        raise WarmstartError(
            f"{name} has {len(names):,} columns, more than {MOST_COLUMNS:,}",
            "keep the columns that matter: the text or image, the label, the group",
            "too-many-columns",
        )
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise WarmstartError(
            f"{name}: column {twice[0]!r} appears {names.count(twice[0])} times",
            "give each column a name of its own",
            "duplicate-column",
        )
    for taken in (n for n in names if n in (WHERE, SPLIT) or n.startswith(OWN)):
        raise WarmstartError(
            f"{name}: column {taken!r} has a name that warmstart keeps for itself",
            "rename it",
            "reserved-column",
        )


def strings(columns: dict[str, list[str | None]]) -> Any:
    """A table of text columns. 64-bit offsets, so that more than 2 GB of text can be taken and joined."""
    import pyarrow as pa

    return pa.table({name: pa.array(values, pa.large_string()) for name, values in columns.items()})


def quarantined(name: str, bad: Sequence[tuple[int, str]], good: int, code: str) -> tuple[Finding, ...]:
    """A finding that names the (line, trouble) pairs left out; an error if they outnumber the `good` rows."""
    if not bad:
        return ()
    line, trouble = bad[0]
    if len(bad) > good:
        raise WarmstartError(
            f"{name}: {len(bad):,} of {len(bad) + good:,} rows cannot be read; line {line}: {trouble}",
            "correct the file; more than half of it is broken",
            code,
        )
    rows = "1 row" if len(bad) == 1 else f"{len(bad):,} rows"
    return (
        Finding(
            check="readable",
            level="warning",
            what=f"{rows} of {name} cannot be read; line {line}: {trouble}",
            do=f"left out: line {', '.join(str(n) for n, _ in bad[:20])}{' ...' if len(bad) > 20 else ''}",
            count=len(bad),
            where=tuple(f"{name}:{n}" for n, _ in bad[:5]),
        ),
    )


def refused(path: Path, kind: str, code: str) -> WarmstartError:
    """The error for a file whose content is not what its name says."""
    return WarmstartError(
        f"{path.name} is not a readable {kind} file: it is damaged or cut short",
        "write or download it again",
        code,
    )
