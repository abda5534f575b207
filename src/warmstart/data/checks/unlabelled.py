"""Rows without a label: empty, blank or missing."""

from dataclasses import dataclass

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found, count


@dataclass(frozen=True)
class Unlabelled:
    """Dropped: they cannot teach, nor prove."""

    order: int = 10
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        rows = [row for row, label in enumerate(draft.values("label")) if label is None or not label.strip()]
        if not rows:
            return []
        column = draft.roles["label"]
        if len(rows) == len(draft):
            raise WarmstartError(
                f"{draft.source}: label column {column!r} is empty in every row",
                "fill it in",
                "labels-missing",
            )
        what = f"{count(len(rows), 'row')} of {len(draft):,} without a label in {column!r}"
        what += _whole_splits(draft, rows)
        finding = Finding("unlabelled", "warning", what, "dropped", len(rows), draft.places(rows))
        return [Found(finding, tuple(rows))]


def _whole_splits(draft: Draft, rows: list[int]) -> str:
    """Say so where a split has no labels at all, as published test files often have none."""
    splits, chosen = draft.splits, set(rows)
    has = {splits[row] for row in range(len(draft)) if row not in chosen}
    without = sorted(draft.brought - has)
    return f"; the {' and '.join(without)} rows have none at all" if without else ""


CHECK = Unlabelled
