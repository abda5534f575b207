"""The study's records, read back: what was known before deciding, and what every strategy then gave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.cell import VERSION
from benchmarks.decisions.worlds import Cell, world
from warmstart.base.tables import checked
from warmstart.base.types import Facts

PROVE = "prove-"
TUNED = ("partial", "gradual", "full", "lora", "plain")  # strategies that move pretrained weights


@dataclass(frozen=True)
class Tried:
    """The pilots of a cell: by strategy, which of the judging rows were answered right."""

    rows: int  # that they learned from
    judged: dict[str, NDArray[np.bool_]]
    seconds: dict[str, float]  # of the processor


@dataclass(frozen=True)
class Validated:
    """What a strategy did on the validation rows, in one order for all."""

    right: NDArray[np.bool_]
    logs: NDArray[np.floating]  # of the probability that the truth was given

    @property
    def merit(self) -> tuple[float, float]:
        """Accuracy, then mean log-likelihood."""
        return float(self.right.mean()), float(self.logs.mean())


@dataclass(frozen=True)
class Read:
    """A cell: facts, the table of its record, and by strategy which proving rows were answered right."""

    cell: Cell
    facts: Facts
    table: dict[str, Any]
    right: dict[str, NDArray[np.bool_]]  # by strategy, proving rows in one order
    tried: Tried | None = None  # its pilots, where they were made
    validated: dict[str, Validated] = field(default_factory=dict)

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
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
        right = {name: proving(arrays, f"{name}.test") for name in table["arms"]}
        chosen = {name: validated(arrays, f"{name}.validation") for name in table["arms"]}
    facts = checked(Facts, table["facts"], str(path))
    pilots = read_pilots(path.parents[1] / "pilots" / path.name)
    return Read(Cell(**table["cell"]), facts, table, right, pilots, chosen)


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
            {name: table["trials"][name]["cpu"] for name in names},
        )


def proving(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.bool_]:
    """Which of the proving rows were answered right, in one order for all."""
    places_N, right_N = arrays[f"{name}.places"].astype(str), arrays[f"{name}.right"]
    proving_N = np.char.startswith(places_N, PROVE)
    found: NDArray[np.bool_] = right_N[proving_N][np.argsort(places_N[proving_N], kind="stable")]
    return found


def validated(arrays: Mapping[str, NDArray[Any]], name: str) -> Validated:
    order_N = np.argsort(arrays[f"{name}.places"].astype(str), kind="stable")
    return Validated(arrays[f"{name}.right"][order_N], arrays[f"{name}.logs"][order_N])


def read_all(out: Path, version: int = VERSION) -> list[Read]:
    """All cells that were run by the recipe of this version, in the order of their names."""
    paths = sorted((out / "cells").glob("*.json"))
    return [read(path) for path in paths if version_of(path) == version]


def version_of(path: Path) -> int:
    return int(json.loads(path.read_text(encoding="utf-8")).get("version", 0))
