"""Rows of the user's own splits that stand on both sides: a test that has been seen proves nothing."""

from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import DIGEST, Draft, Found, count

RANK = {"train": 0, "validation": 1, "test": 2}


@dataclass(frozen=True)
class Leaks:
    """Dropped where they teach (or choose) and kept where they prove; groups on both sides are reported."""

    order: int = 10
    moment: str = "near"

    def look(self, draft: Draft) -> list[Found]:
        if not draft.brought:
            return []
        rank = [RANK[split or "train"] for split in draft.splits]
        leaked: dict[int, int] = {}  # the row that goes -> the row that stays
        for one, other in draft.near_rows().tolist():
            low, high = sorted((one, other), key=lambda row: rank[row])
            if rank[low] < rank[high]:
                leaked[low] = high
        return [*([_found(draft, leaked, rank)] if leaked else []), *_groups(draft, rank)]


def _found(draft: Draft, leaked: dict[int, int], rank: list[int]) -> Found:
    rows = sorted(leaked)
    digests = draft.column(DIGEST)
    exact = sum(digests[low] == digests[high] for low, high in leaked.items())
    names = ("train", "validation", "test")
    ways = sorted({(rank[low], rank[high]) for low, high in leaked.items()})
    shown = ", ".join(f"{names[low]} rows also in {names[high]}" for low, high in ways)
    kinds = f"{exact:,} exactly, {len(rows) - exact:,} nearly the same"
    what = f"{count(len(rows), 'row')} on both sides ({shown}): {kinds}"
    do = "dropped from the side that teaches; the test rows stay"
    pair = [rows[0], leaked[rows[0]], *rows[1:]]
    return Found(Finding("leaks", "warning", what, do, len(rows), draft.places(pair)), tuple(rows))


def _groups(draft: Draft, rank: list[int]) -> list[Found]:
    if "group" not in draft.roles:
        return []
    groups = draft.values("group")
    sides: dict[str, set[int]] = {}
    for group, side in zip(groups, rank, strict=True):
        if group and group.strip():
            sides.setdefault(group, set()).add(side)
    both = {group for group, seen in sides.items() if len(seen) > 1}
    if not both:
        return []
    rows = [row for row, group in enumerate(groups) if group in both]
    values = f"{count(len(both), 'value')} of {draft.roles['group']!r}"
    what = f"{values} on both sides of the splits you brought, {len(rows):,} rows"
    do = "kept as you brought them; scores on new groups may be lower: split by group, or leave out --test"
    return [Found(Finding("leaks", "warning", what, do, len(rows), draft.places(rows)))]


CHECK = Leaks
