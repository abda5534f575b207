"""What lies in the records of a study: cells run to their end, by their answers on the proving rows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.cell import VERSION
from benchmarks.decisions.worlds import Cell, world
from warmstart.base.seeds import generator

PROVING = "prove-"  # what the places of proving rows begin with
TUNED = ("partial", "gradual", "full", "lora", "plain")  # strategies that move pretrained weights


@dataclass(frozen=True, eq=False)
class Explored:
    """A cell with what each of its strategies answered on the proving rows, in one order for all of them."""

    cell: Cell
    planned: str  # what `choose` would have done
    right: Mapping[str, NDArray[np.bool_]]  # by strategy: was each proving row answered right?
    chosen_by: Mapping[str, tuple[float, float]]  # by strategy: accuracy and mean log on the validation rows
    table: Mapping[str, Any]  # the record itself, for policies that look at more

    @property
    def kind(self) -> str:
        return world(self.cell.world).kind

    @property
    def parameters(self) -> int:
        return int(self.table["scored"]["candidate"]["parameters"])

    def accuracy(self, strategy: str) -> float:
        return float(self.right[strategy].mean())

    def best_tuned(self) -> float:
        """The highest accuracy of the strategies that move pretrained weights; luck flatters all of them."""
        return max(self.accuracy(name) for name in TUNED if name in self.right)


@dataclass(frozen=True, eq=False)
class Raced:
    """All candidates of a pool that were tuned so far, by name of the model."""

    world: str
    rows: int
    seed: int
    explored: Mapping[str, Explored]

    @property
    def name(self) -> str:
        return f"{self.world}--{self.rows}--{self.seed}"

    @property
    def lacking(self) -> tuple[str, ...]:
        return tuple(model for model in world(self.world).models if model not in self.explored)


def cells(out: Path, version: int = VERSION) -> list[Explored]:
    """Every cell whose record is whole and of this version, in the order of their names."""
    found = (read(path, version) for path in sorted((out / "cells").glob("*.json")))
    return [one for one in found if one is not None]


def read(path: Path, version: int = VERSION) -> Explored | None:
    """The cell of a record; None where it is of another version."""
    table = json.loads(path.read_text(encoding="utf-8"))
    if table.get("version") != version:
        return None
    names = list(table["arms"])
    with np.load(path.with_suffix(".npz")) as arrays:
        right = {name: proved(arrays, name) for name in names}
        chosen_by = {name: validated(arrays, name) for name in names}
    return Explored(Cell(**table["cell"]), table["planned"], right, chosen_by, table)


def proved(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.bool_]:
    """Which proving rows are answered right, in the order of the deal."""
    places, right = arrays[f"{name}.test.places"], arrays[f"{name}.test.right"]
    proving = np.char.startswith(places, PROVING)
    numbers = np.char.replace(places[proving], PROVING, "").astype(int)
    ordered: NDArray[np.bool_] = right[proving][np.argsort(numbers)]
    return ordered


def validated(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[float, float]:
    right, logs = arrays[f"{name}.validation.right"], arrays[f"{name}.validation.logs"]
    return float(right.mean()), float(logs.mean())


def races(explored: Iterable[Explored]) -> list[Raced]:
    """The cells by pool, each pool in the order of its world's candidates."""
    by_pool: dict[tuple[str, int, int], dict[str, Explored]] = defaultdict(dict)
    for one in explored:
        by_pool[one.cell.world, one.cell.rows, one.cell.seed][one.cell.model] = one
    return [
        Raced(name, rows, seed, {model: found[model] for model in world(name).models if model in found})
        for (name, rows, seed), found in sorted(by_pool.items())
    ]


def rankings(out: Path, version: int) -> dict[str, dict[str, Any]]:
    """The records of scores by name of the pool."""
    found = {}
    for path in sorted((out / "rankings").glob("*.json")):
        table = json.loads(path.read_text(encoding="utf-8"))
        if table.get("version") == version:
            found[path.stem] = table
    return found


def halves(rows: int, times: int, *names: str | int) -> Iterator[NDArray[np.bool_]]:
    """Random halves of the rows, as masks; with each its other half."""
    rng = generator(0, "halves", *names)
    for _ in range(times):
        mask = np.zeros(rows, bool)
        mask[rng.permutation(rows)[: rows // 2]] = True
        yield mask
        yield ~mask


def stacked(right: Mapping[str, NDArray[np.bool_]], names: Sequence[str]) -> NDArray[np.float64]:
    """S x N: 1 where a strategy, or a candidate, answers a row right."""
    return np.stack([right[name].astype(np.float64) for name in names])
