"""Rows that repeat an earlier row: the same input with the same label."""

from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import DIGEST, Draft, Found, count


@dataclass(frozen=True)
class Duplicates:
    """The first is kept. In validation and test rows that the user brought, repeats are reported and kept."""

    order: int = 70
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        seen: set[tuple[bytes, str, str | None]] = set()
        again: list[int] = []
        splits = [None if free else split for free, split in zip(draft.pool, draft.splits, strict=True)]
        for row, key in enumerate(zip(draft.column(DIGEST), draft.values("label"), splits, strict=True)):
            if key in seen:
                again.append(row)
            seen.add(key)
        mine = [row for row in again if splits[row] is None]
        theirs = [row for row in again if splits[row] is not None]
        found = [_found(draft, mine, "kept the first of each", drop=True)] if mine else []
        if theirs:
            do = "kept, as you brought them; they count twice"
            found.append(_found(draft, theirs, do, drop=False))
        return found


def _found(draft: Draft, rows: list[int], do: str, drop: bool) -> Found:
    splits = draft.splits
    where = "" if drop else " and ".join(sorted({str(splits[row]) for row in rows})) + " "
    verb = "repeats" if len(rows) == 1 else "repeat"
    what = f"{count(len(rows), where + 'row')} {verb} an earlier row (same {draft.kind}, same label)"
    finding = Finding("duplicates", "warning" if drop else "note", what, do, len(rows), draft.places(rows))
    return Found(finding, tuple(rows) if drop else ())


CHECK = Duplicates
