"""Arrow tables from other hands: checked, decoded to plain types, class numbers turned into names."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from warmstart.data.decode import cannot_open, empty
from warmstart.data.join import text_of
from warmstart.data.readers._table import check_names, finish, refused


def read_columnar(path: Path, kind: str, read: Callable[[Path], Any]) -> Any:
    """The rows of a columnar file through `read`; what goes wrong inside the library is a damaged file."""
    import pyarrow as pa

    if not path.stat().st_size:
        raise empty(path)
    try:
        table = read(path)
        table.validate(full=True)
    except PermissionError as error:
        raise cannot_open(path, error) from None
    except (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError, KeyError):
        raise refused(path, kind, f"broken-{kind}") from None
    where = [f"{path.name}:{number}" for number in range(1, table.num_rows + 1)]
    return finish(plain_types(table, path.name), where, path.parent, path.name)


def plain_types(table: Any, name: str) -> Any:
    """The same columns without dictionaries, and strings with 64-bit offsets; class numbers become names."""
    import pyarrow as pa

    check_names(table.column_names, name)
    names = class_names(table)
    columns = {}
    for column in table.column_names:
        values = table.column(column)
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if not _stays(values.type):
            values = text_of(values)
        columns[column] = named(values, names[column]) if column in names else values
    return pa.table(columns)


def _stays(kind: Any) -> bool:
    """Types that Python values can stand for; dates, decimals and 32-bit strings become 64-bit strings."""
    import pyarrow as pa

    numbers = pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
    cells = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_nested(kind)
    return bool(numbers or cells)


def class_names(table: Any) -> dict[str, list[str]]:
    """Column -> class names, where the file was written by the `datasets` library and says them."""
    try:
        info = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
        features = info.get("info", {}).get("features", {})
        found = {k: f.get("names") for k, f in features.items() if f.get("_type") == "ClassLabel"}
    except (ValueError, AttributeError):
        return {}
    return {k: list(map(str, v)) for k, v in found.items() if v and k in table.column_names}


def named(values: Any, names: list[str]) -> Any:
    """Class numbers as names; -1 and numbers without a name are missing labels."""
    import pyarrow as pa

    known = dict(enumerate(names))
    return pa.array([known.get(v) for v in values.to_pylist()], pa.large_string())
