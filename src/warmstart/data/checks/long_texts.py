"""Texts of more than a megabyte: no model reads them whole, and one of them can fill the memory."""

from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found, count


@dataclass(frozen=True)
class LongTexts:
    """Dropped, with their sizes."""

    most: int = 1_000_000  # bytes of UTF-8
    order: int = 50
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        if draft.kind != "text":
            return []
        import pyarrow.compute as pc

        sizes = pc.binary_length(draft.table.column(draft.roles["text"])).to_pylist()
        rows = [row for row, size in enumerate(sizes) if (size or 0) > self.most]
        if not rows:
            return []
        largest = max(sizes[row] for row in rows) / 1e6
        what = f"{count(len(rows), 'text')} over {self.most / 1e6:g} MB (the largest {largest:,.1f} MB)"
        do = "dropped; cut long documents into the passages that carry the label"
        return [Found(Finding("long_texts", "warning", what, do, len(rows), draft.places(rows)), tuple(rows))]


CHECK = LongTexts
