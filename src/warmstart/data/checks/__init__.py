"""Checks of the user's data: one trouble, one file."""

from typing import Protocol

from warmstart.base.family import Family
from warmstart.data.draft import Draft, Found

CHECKS = Family(__name__, "CHECK")


class Check(Protocol):
    """One trouble. `look` says what it found and which rows to drop; a fatal trouble is a WarmstartError.

    `moment` is when it looks: at the "rows" as they were read; when "near" duplicates are known; or at the
    "splits". Within a moment checks look in their `order`, each at what those before it left.
    """

    @property
    def order(self) -> int: ...

    @property
    def moment(self) -> str: ...

    def look(self, draft: Draft) -> list[Found]: ...


def checks_at(moment: str) -> list[tuple[str, Check]]:
    """The checks of a moment with their names, in their order."""
    made: list[tuple[str, Check]] = [(name, CHECKS.get(name)()) for name in CHECKS.names()]
    return sorted(((n, c) for n, c in made if c.moment == moment), key=lambda pair: (pair[1].order, pair[0]))
