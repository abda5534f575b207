"""The rows that rank as something without a network reads them, where that was wanted and can be."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Bundle, Finding, Ranking
from warmstart.floors import FLOORS
from warmstart.floors._floor import Floor
from warmstart.floors._regression import Answers, Tests, out_of_fold
from warmstart.street.folder import Trip
from warmstart.tasks._classification import Cells, Classification

if TYPE_CHECKING:
    from warmstart.floors._floor import Matrix


@dataclass(frozen=True, eq=False)
class Read:
    """The rows that rank, as a floor reads them."""

    name: str
    floor: Floor
    raw_ND: Matrix
    labels_N: NDArray[np.int64]
    seconds: float

    @property
    def plain(self) -> str:
        return self.floor.plain

    def out_of_fold(self, repeats: Sequence[Tests]) -> Answers:
        return out_of_fold(self.floor, self.raw_ND, self.labels_N, repeats)


def read(
    trip: Trip, task: Classification, bundle: Bundle, numbers: Sequence[int], labels_N: NDArray[np.int64]
) -> tuple[Read | None, tuple[Finding, ...]]:
    """The rows that rank as the task's floor reads them; none where that was not wanted or cannot be."""
    if not (trip.options.baseline and task.baseline):
        return None, ()
    floor: Floor = FLOORS.get(task.baseline)()
    trip.tell({"event": "stop", "stop": "select", "what": f"beside them {floor.plain}"})
    started = time.perf_counter()
    try:
        raw_ND = floor.read(Cells(bundle, task.roles[0], tuple(numbers)))
    except WarmstartError as error:
        return None, (absent(floor, error.wrong),)
    return Read(task.baseline, floor, raw_ND, labels_N, time.perf_counter() - started), ()


def unmeasured(found: Read | None, ranking: Ranking) -> tuple[Finding, ...]:
    """That the rows were too few to measure what was read of them."""
    if found is None or ranking.baseline is not None:
        return ()
    return (absent(found.floor, "too few rows of each class"),)


def absent(floor: Floor, why: str) -> Finding:
    what = f"{floor.plain} was not computed: {why}"
    return Finding(
        "baseline", "note", what, "nothing says what these rows give without a pretrained network", 1
    )
