"""Rows on their way to a Bundle: what a check looks at, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from warmstart.base.types import Finding
from warmstart.data.readers._table import SPLIT, WHERE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ID = "_ws_id"  # a row's number when it was read; stays when others are dropped
DIGEST = "_ws_digest"  # sha256 of the input
PROBLEM = "_ws_problem"  # why an image cannot be used, or null
DHASH = "_ws_dhash"  # 64 bits that say where an image gets brighter from left to right
THUMB = "_ws_thumb"  # 16 x 16 x 3 bytes
WIDTH, HEIGHT = "_ws_width", "_ws_height"  # of an image, in pixels


@dataclass(frozen=True)
class Draft:
    """N rows with their roles; after splitting every row has its split in column `_split`."""

    source: str  # for messages
    table: Any  # pyarrow Table: the user's columns and the hidden ones above
    roles: dict[str, str]
    brought: frozenset[str] = frozenset()  # the splits that the user's files name themselves
    near: Any = field(default=None, repr=False)  # P x 2 ids of rows that are nearly the same
    near_note: str = ""  # how the search for them was cut short, if it was
    dropped: tuple[str, ...] = ()  # what checks dropped so far
    changes: tuple["Change", ...] = field(default=(), repr=False)  # the same row by row, labels too

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def kind(self) -> str:
        """ "image" or "text": the role of the input."""
        return "image" if "image" in self.roles else "text"

    def column(self, name: str) -> list[Any]:
        return list(self.table.column(name).to_pylist())

    def values(self, role: str) -> list[Any]:
        return self.column(self.roles[role])

    @property
    def splits(self) -> list[str | None]:
        return self.column(SPLIT)

    @property
    def pool(self) -> list[bool]:
        """Rows that may still be divided: what the user calls train, or nothing."""
        return [s in (None, "train") for s in self.splits]

    def near_rows(self) -> "NDArray[np.int64]":
        """P x 2 row numbers of the near pairs that are still here."""
        import numpy as np

        if self.near is None or not len(self.near):
            return np.empty((0, 2), np.int64)
        ids = self.table.column(ID).to_numpy()
        place = np.full(int(max(ids.max(), self.near.max())) + 1, -1, np.int64)
        place[ids] = np.arange(len(ids))
        pairs: NDArray[np.int64] = place[self.near]
        return pairs[(pairs >= 0).all(1)]

    def places(self, rows: Sequence[int], most: int = 5) -> tuple[str, ...]:
        """Where the first of these rows came from."""
        return tuple(self.table.column(WHERE)[int(row)].as_py() for row in rows[:most])


@dataclass(frozen=True)
class Change:
    """What a check did to one row."""

    row: int  # its number when it was read
    where: str
    split: str  # "train", "validation", "test" or ""
    check: str
    why: str
    before: str = ""  # the label, where it was spelled otherwise
    after: str = ""

    @property
    def what(self) -> str:
        return "relabelled" if self.after else "dropped"


@dataclass(frozen=True)
class Found:
    """One finding of a check, and what follows from it."""

    finding: Finding
    drop: tuple[int, ...] = ()  # row numbers of the draft
    rename: Mapping[str, str] = field(default_factory=dict)  # labels to spell differently


def quoted(names: Sequence[str], most: int = 5) -> str:
    """The first of some names in quotes, long ones cut: "'a', 'b' ..."."""
    cut = [repr(name if len(name) <= 40 else name[:37] + "...") for name in names[:most]]
    return ", ".join(cut) + (" ..." if len(names) > most else "")


def count(number: int, one: str, many: str = "") -> str:
    """ "1 row", "12 rows"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
