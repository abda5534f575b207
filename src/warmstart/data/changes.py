"""What a check did, row by row: so that it can be told, and done to the user's files."""

from collections.abc import Iterator

from warmstart.data.draft import ID, Change, Draft, Found
from warmstart.data.readers._table import SPLIT, WHERE


def changes_of(draft: Draft, found: Found) -> Iterator[Change]:
    """The changes that follow from one finding about the rows of `draft`."""
    finding = found.finding
    for row in found.drop:
        yield Change(*_place(draft, row), finding.check, finding.what)
    if found.rename:
        for row, label in enumerate(draft.values("label")):
            if label in found.rename:
                new = found.rename[label]
                yield Change(*_place(draft, row), finding.check, finding.what, label, new)


def _place(draft: Draft, row: int) -> tuple[int, str, str]:
    """Number when it was read, place and split of a row."""
    number, where, split = (draft.table.column(name)[row].as_py() for name in (ID, WHERE, SPLIT))
    return number, where, split or ""
