"""Tables of one data set, one under the other."""

from collections.abc import Sequence
from typing import Any

from warmstart.data.readers._table import findings_of, with_findings


def join(tables: Sequence[Any]) -> Any:
    """All rows in order, with all findings. A column of several types becomes text; a missing one is null."""
    import pyarrow as pa

    names = list(dict.fromkeys(name for table in tables for name in table.column_names))
    types = {name: [t.schema.field(name).type for t in tables if name in t.column_names] for name in names}
    mixed = {name for name, kinds in types.items() if any(kind != kinds[0] for kind in kinds)}
    findings = [finding for table in tables for finding in findings_of(table)]
    plain = [_as_text(table, mixed).replace_schema_metadata(None) for table in tables]
    return with_findings(pa.concat_tables(plain, promote_options="default"), findings)


def _as_text(table: Any, columns: set[str]) -> Any:

    for number, name in enumerate(table.column_names):
        if name in columns:
            table = table.set_column(number, name, text_of(table.column(name)))
    return table


def text_of(values: Any) -> Any:
    """Any column as strings with 64-bit offsets; lists and structs are written as Python shows them."""
    import pyarrow as pa

    if pa.types.is_large_string(values.type):
        return values
    if pa.types.is_timestamp(values.type) and values.type.tz:
        values = values.cast(pa.timestamp(values.type.unit))  # in UTC; naming a zone would need its database
    if pa.types.is_duration(values.type):
        values = values.cast(pa.int64())
    try:
        return values.cast(pa.large_string())
    except pa.ArrowException:
        shown = [None if v is None else str(v) for v in values.to_pylist()]
        return pa.chunked_array([pa.array(shown, pa.large_string())])
