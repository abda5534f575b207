"""What the values of a column look like, so that its role can be told."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from warmstart.data.join import text_of
from warmstart.data.readers._folders import IMAGES


@dataclass(frozen=True, eq=False)
class Column:
    """What the values of one column look like."""

    name: str
    values: Any  # pyarrow ChunkedArray

    @cached_property
    def text(self) -> Any:
        """The values as strings without outer blanks; what is empty is null."""
        import pyarrow as pa
        import pyarrow.compute as pc

        trimmed = pc.utf8_trim_whitespace(text_of(self.values))
        return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.large_string()), trimmed)

    @cached_property
    def filled(self) -> int:
        return len(self.values) - int((self.values if self.is_binary else self.text).null_count)

    @cached_property
    def distinct(self) -> int:
        import pyarrow.compute as pc

        return int(pc.count_distinct(self.text, mode="only_valid").as_py())

    @cached_property
    def length(self) -> float:
        """Mean number of characters of the values that are there."""
        import pyarrow.compute as pc

        return float(pc.mean(pc.utf8_length(self.text)).as_py() or 0)

    @cached_property
    def first(self) -> list[str]:
        """Some of the values that are there."""
        return [str(v) for v in self.text.drop_null()[:1000].to_pylist()]

    @property
    def is_binary(self) -> bool:
        import pyarrow as pa

        kind = self.values.type
        if pa.types.is_struct(kind):
            return "bytes" in [kind.field(i).name for i in range(kind.num_fields)]
        return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))

    @cached_property
    def is_list(self) -> bool:
        """Lists or objects: Arrow's, or written as JSON."""
        import pyarrow as pa

        if self.is_binary or pa.types.is_nested(self.values.type):
            return not self.is_binary
        return bool(self.first) and all(map(_is_json_cell, self.first[:50]))

    @property
    def is_plain(self) -> bool:
        """One value a row, and no bytes."""
        return not (self.is_binary or self.is_list)

    @cached_property
    def is_text(self) -> bool:
        """Strings that are neither lists nor names of images."""
        import pyarrow as pa

        return bool(pa.types.is_large_string(self.values.type)) and self.is_plain and not self.is_image

    @cached_property
    def is_image(self) -> bool:
        """Bytes or {bytes, path}, or names that end like image files."""
        import pyarrow as pa

        if self.is_binary:
            return True
        if not pa.types.is_large_string(self.values.type) or not self.first:
            return False
        return sum(v.lower().endswith(IMAGES) for v in self.first) >= 0.9 * len(self.first)

    @cached_property
    def is_number(self) -> bool:
        return bool(self.first) and all(map(_is_number, self.first))

    @cached_property
    def no_label(self) -> str:
        """Why this cannot be the label; "" if it can."""
        if not self.is_plain:
            return "holds lists, objects or bytes; a label is one value a row"
        if self.is_image:
            return "holds names of image files"
        if not self.filled:
            return "is empty in every row"
        seen = f"has {self.distinct:,} different values in {self.filled:,} rows"
        if self.distinct * 2 <= self.filled:
            return ""
        kind = "every one is different" if self.distinct == self.filled else "free text"
        return f"{seen}: {'continuous numbers' if self.is_number else kind}, not classes"

    @property
    def brief(self) -> str:
        return f"{self.name!r} ({self.distinct:,} values)" if self.is_plain else f"{self.name!r}"


def _is_json_cell(text: str) -> bool:
    try:
        return isinstance(json.loads(text), (list, dict))
    except (ValueError, RecursionError):
        return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
