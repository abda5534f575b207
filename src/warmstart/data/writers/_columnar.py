"""Arrow tables without some rows; what the file says of itself and of its columns stays."""

from typing import Any

from warmstart.data.readers._columnar import class_names, named
from warmstart.data.writers import Edit


def edited(table: Any, edit: Edit) -> Any:
    """The rows that stay. A column in which a cell is new holds texts then; class numbers become names."""
    import pyarrow as pa

    names, metadata = class_names(table), dict(table.schema.metadata or {})
    for name, new in edit.cells.items():
        if new:
            column = table.column(name)
            values = (named(column, names[name]) if name in names else column).to_pylist()
            for row, cell in new.items():
                values[row] = cell
            field = pa.field(name, pa.string())
            table = table.set_column(table.column_names.index(name), field, pa.array(values, pa.string()))
            metadata.pop(b"huggingface" if name in names else b"pandas", None)  # it tells of the old column
    kept = [row for row in range(table.num_rows) if row not in edit.dropped]
    return table.replace_schema_metadata(metadata or None).take(pa.array(kept, pa.int64()))
