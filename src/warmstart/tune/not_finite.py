"""A loss that is not finite, with the numbers of the training rows it was made from."""

from __future__ import annotations

from collections.abc import Sequence

from warmstart.base.errors import WarmstartError

SHOWN = 8


class NotFinite(WarmstartError):
    """`rows` are numbers in the training split; `named` says them as the user knows them."""

    def __init__(self, what: str, do: str, rows: Sequence[int], names: Sequence[str] = ()) -> None:
        shown = ", ".join(names or map(str, rows[:SHOWN])) + (" ..." if len(rows) > SHOWN else "")
        where = "in the rows" if names else "in the training split"
        super().__init__(f"{what}; {where}: {shown}", do, "not-finite")
        self.what, self.rows = what, rows

    def named(self, names: Sequence[str]) -> NotFinite:
        return NotFinite(self.what, self.do, self.rows, names)
