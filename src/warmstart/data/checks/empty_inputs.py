"""Texts with nothing in them."""

from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found, count


@dataclass(frozen=True)
class EmptyInputs:
    """Dropped: a label without an input teaches only how frequent it is."""

    order: int = 40
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        if draft.kind != "text":
            return []
        rows = [row for row, text in enumerate(draft.values("text")) if text is None or not text.strip()]
        if not rows:
            return []
        what = f"{count(len(rows), 'row')} of {len(draft):,} with no text in {draft.roles['text']!r}"
        return [
            Found(
                Finding("empty_inputs", "warning", what, "dropped", len(rows), draft.places(rows)),
                tuple(rows),
            )
        ]


CHECK = EmptyInputs
