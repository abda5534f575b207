"""The study's records, read back: what was known before deciding, and what every strategy then gave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.worlds import Cell
from warmstart.base.tables import checked
from warmstart.base.types import Facts

PROVE = "prove-"


@dataclass(frozen=True)
class Tried:
    """The pilots of a cell: by strategy, which judging and which proving rows were answered right."""

    rows: int  # that they learned from
    judged: dict[str, NDArray[np.bool_]]
    proved: dict[str, NDArray[np.bool_]]
    seconds: dict[str, float]


@dataclass(frozen=True)
class Read:
    """A cell: facts, the table of its record, and by strategy which proving rows were answered right."""

    cell: Cell
    facts: Facts
    table: dict[str, Any]
    right: dict[str, NDArray[np.bool_]]  # by strategy, proving rows in one order
    tried: Tried | None = None  # its pilots, where they were made

    @cached_property
    def scores(self) -> dict[str, float]:
        return {name: float(right_N.mean()) for name, right_N in self.right.items()}

    def noise(self, one: str, other: str) -> float:
        """Standard error of the difference of two strategies on the proving rows."""
        more_N = self.right[one].astype(float) - self.right[other]
        return float(more_N.std() / np.sqrt(len(more_N)))


def read(path: Path) -> Read:
    """The record of one cell."""
    table = json.loads(path.read_text(encoding="utf-8"))
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
        right = {name: proving(arrays, f"{name}.test") for name in table["arms"]}
    facts = checked(Facts, table["facts"], str(path))
    return Read(
        Cell(**table["cell"]), facts, table, right, read_pilots(path.parents[1] / "pilots" / path.name)
    )


def read_pilots(path: Path) -> Tried | None:
    """The pilots of a cell; None where there are none yet."""
    if not path.is_file():
        return None
    table = json.loads(path.read_text(encoding="utf-8"))
    names = list(table["trials"])
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
        return Tried(
            table["rows"],
            {name: arrays[f"{name}.judged.right"] for name in names},
            {name: proving(arrays, f"{name}.test") for name in names},
            {name: table["trials"][name]["tuning"] for name in names},
        )


def proving(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.bool_]:
    """Which of the proving rows were answered right, in one order for all."""
    places_N, right_N = arrays[f"{name}.places"].astype(str), arrays[f"{name}.right"]
    proving_N = np.char.startswith(places_N, PROVE)
    found: NDArray[np.bool_] = right_N[proving_N][np.argsort(places_N[proving_N], kind="stable")]
    return found


def read_all(out: Path) -> list[Read]:
    """All cells that were run, in the order of their names."""
    return [read(path) for path in sorted((out / "cells").glob("*.json"))]
