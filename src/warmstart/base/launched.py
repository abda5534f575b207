"""Was this process started as one of several by torchrun, or by warmstart itself? Told without torch."""

from __future__ import annotations

import os
from dataclasses import dataclass

NAMES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # as torchrun has them


@dataclass(frozen=True)
class Launched:
    """Its number among so many; number 0 walks the street, the others help it to train."""

    rank: int
    size: int


def launched() -> Launched | None:
    """None for a process that stands alone."""
    given = [os.environ.get(name, "") for name in NAMES]
    if not all(given) or not all(number.isdecimal() for number in given[:2]) or int(given[1]) < 2:
        return None
    return Launched(int(given[0]), int(given[1]))
