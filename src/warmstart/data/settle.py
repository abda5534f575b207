"""Role columns as the rest of the house reads them: labels and texts are strings, images paths or bytes."""

from pathlib import Path
from typing import Any

from warmstart.data.draft import ID
from warmstart.data.images import is_file
from warmstart.data.join import text_of
from warmstart.data.readers._folders import split_named
from warmstart.data.readers._table import BASE, SPLIT


def settle(table: Any, roles: dict[str, str], splits: str | None) -> Any:
    """The table with plain role columns, row ids, and `_split` from the user's column `splits`, if any."""
    import pyarrow as pa

    for role, name in roles.items():
        values = table.column(name)
        plain = _images(values, table.column(BASE)) if role == "image" else text_of(values)
        table = _put(table, name, plain)
    if splits:
        named = [split_named(value) for value in table.column(splits).to_pylist()]
        table = _put(table, SPLIT, pa.array(named, pa.large_string()))
    numbers = pa.array(range(table.num_rows), pa.int64())
    return table.drop_columns([BASE]).append_column(ID, numbers).replace_schema_metadata(None)


def _put(table: Any, name: str, values: Any) -> Any:
    return table.set_column(table.column_names.index(name), name, values)


def _images(values: Any, bases: Any) -> Any:
    """Absolute paths for images on disk, bytes for images in the table; nothing is null."""
    import pyarrow as pa

    if pa.types.is_struct(values.type):
        return _from_structs(values, bases)
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        return values.cast(pa.large_binary())
    names = text_of(values).to_pylist()
    paths = [absolute(name, base) for name, base in zip(names, bases.to_pylist(), strict=True)]
    return pa.chunked_array([pa.array(paths, pa.large_string())])


def _from_structs(values: Any, bases: Any) -> Any:
    """What `datasets` stores: {bytes, path}. If only some rows have bytes, the others' files are read."""
    import pyarrow as pa

    cells = values.to_pylist()
    if not any(cell and cell.get("bytes") for cell in cells):
        paths = [absolute((c or {}).get("path"), b) for c, b in zip(cells, bases.to_pylist(), strict=True)]
        return pa.chunked_array([pa.array(paths, pa.large_string())])
    found = [_bytes(cell or {}, base) for cell, base in zip(cells, bases.to_pylist(), strict=True)]
    return pa.chunked_array([pa.array(found, pa.large_binary())])


def _bytes(cell: dict[str, Any], base: str) -> bytes | None:
    if cell.get("bytes"):
        return bytes(cell["bytes"])
    path = Path(base, cell["path"]) if cell.get("path") else None
    return path.read_bytes() if path and is_file(path) else None


def absolute(value: str | None, base: str) -> str | None:
    """A path from the table, from the folder of its file; web addresses stay, to be refused later."""
    if not value or not value.strip():
        return None
    return value if "://" in value else str(Path(base, Path(value).expanduser()))
