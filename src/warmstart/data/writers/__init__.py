"""Writers: a copy of a file or folder in its own format, without some rows. Named like the readers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from warmstart.base.family import Family

WRITERS = Family(__name__, "WRITER")


@dataclass(frozen=True)
class Edit:
    """What becomes of the rows of a file, which are numbered as they are read from it, from 0 on."""

    dropped: frozenset[int] = frozenset()
    cells: dict[str, dict[int, str]] = field(default_factory=dict)  # column -> row -> what it says now

    def after(self, rows: int) -> "Edit":
        """The same for what follows the first `rows` rows."""
        cells = {
            name: {row - rows: cell for row, cell in new.items() if row >= rows}
            for name, new in self.cells.items()
        }
        return Edit(frozenset(row - rows for row in self.dropped if row >= rows), cells)

    def changed(self, row: int) -> dict[str, str]:
        """Column -> what this row says now."""
        return {name: new[row] for name, new in self.cells.items() if row in new}


@dataclass(frozen=True)
class Copied:
    """How many rows the source has, and the places of what could not be read, with the reason."""

    rows: int
    lost: tuple[tuple[str, str], ...] = ()


class Writer(Protocol):
    """One file format. `copy` writes `source` again as `target`, changed by `edit`."""

    def copy(self, source: Path, target: Path, edit: Edit) -> Copied: ...
