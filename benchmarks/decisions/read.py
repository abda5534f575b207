"""The study's records, read back: what was known before deciding, and what every strategy then gave."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.cell import VERSION
from benchmarks.decisions.worlds import Cell, world
from warmstart.base.tables import checked
from warmstart.base.types import Facts

PROVE, TEACH = "prove-", "teach-"
TUNED = ("partial", "gradual", "full", "lora", "plain")  # strategies that move pretrained weights


@dataclass(frozen=True)
class Read:
    """A cell: facts, the table of its record, and by strategy which proving rows were answered right."""

    cell: Cell
    facts: Facts
    table: dict[str, Any]
    right: dict[str, NDArray[np.bool_]]  # by strategy, proving rows in one order
    left: dict[str, dict[str, bool]]  # by strategy, training rows of larger cells, by place
    validated: dict[str, tuple[float, float]]  # by strategy: accuracy and mean log on the rows that choose

    @property
    def kind(self) -> str:
        return world(self.cell.world).kind

    @property
    def best_tuned(self) -> float:
        """The highest accuracy of the strategies that move pretrained weights; luck flatters all of them."""
        return max(self.scores[name] for name in TUNED if name in self.right)

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
    right, left, validated = {}, {}, {}
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
        for name in table["arms"]:
            places_N, right_N = arrays[f"{name}.test.places"].astype(str), arrays[f"{name}.test.right"]
            proving_N = np.char.startswith(places_N, PROVE)
            order = np.argsort(places_N[proving_N], kind="stable")
            right[name] = right_N[proving_N][order]
            left[name] = dict(zip(places_N[~proving_N], right_N[~proving_N].tolist(), strict=True))
            chose_N, logs_N = arrays[f"{name}.validation.right"], arrays[f"{name}.validation.logs"]
            validated[name] = float(chose_N.mean()), float(logs_N.mean())
    facts = checked(Facts, table["facts"], str(path))
    return Read(Cell(**table["cell"]), facts, table, right, left, validated)


def read_all(out: Path, version: int = VERSION) -> list[Read]:
    """All cells that were run by the recipe of this version, in the order of their names."""
    paths = sorted((out / "cells").glob("*.json"))
    return [read(path) for path in paths if version_of(path) == version]


def version_of(path: Path) -> int:
    return int(json.loads(path.read_text(encoding="utf-8")).get("version", 0))
