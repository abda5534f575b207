"""Rows that are nearly the same: kept, but never on both sides of a split."""

from collections import Counter
from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found, count
from warmstart.data.near import components


@dataclass(frozen=True)
class NearDuplicates:
    """Reported with the number of clusters and the size of the largest."""

    order: int = 20
    moment: str = "near"

    def look(self, draft: Draft) -> list[Found]:
        pairs = draft.near_rows()
        notes = [_bounded(draft)] if draft.near_note else []
        if not len(pairs):
            return notes
        cluster = components(len(draft), pairs).tolist()
        sizes = {c: n for c, n in Counter(cluster).items() if n > 1}
        rows = [row for row, c in enumerate(cluster) if c in sizes]
        largest = max(sizes.values())
        what = f"{count(len(rows), 'row')} in {count(len(sizes), 'cluster')} of nearly the same {draft.kind}"
        what += f", {'all pairs' if largest == 2 else f'the largest of {largest:,} rows'}"
        level = "warning" if largest > 0.1 * len(draft) and largest > 2 else "note"
        do = "kept; each cluster stays in one split"
        return [
            Found(Finding("near_duplicates", level, what, do, len(rows), _examples(draft, cluster, sizes))),
            *notes,
        ]


def _examples(draft: Draft, cluster: list[int], sizes: dict[int, int]) -> tuple[str, ...]:
    """The first cluster's rows, as the first places of several clusters could not be compared."""
    first = next(c for c in cluster if c in sizes)
    return draft.places([row for row, c in enumerate(cluster) if c == first])


def _bounded(draft: Draft) -> Found:
    what = f"the search for near-duplicates was bounded: {draft.near_note}"
    return Found(Finding("near_duplicates", "note", what, "some may remain on both sides of a split"))


CHECK = NearDuplicates
