"""The cells of a study by pool: candidates that were tuned on the same rows, and how they were scored."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.read import Read
from benchmarks.decisions.worlds import world
from warmstart.base.seeds import generator


@dataclass(frozen=True, eq=False)
class Raced:
    """All candidates of a pool that were tuned so far, by name of the model."""

    world: str
    rows: int
    seed: int
    tuned: Mapping[str, Read]

    @property
    def name(self) -> str:
        return f"{self.world}--{self.rows}--{self.seed}"

    @property
    def lacking(self) -> tuple[str, ...]:
        return tuple(model for model in world(self.world).models if model not in self.tuned)


def races(cells: Iterable[Read]) -> list[Raced]:
    """The cells by pool, each pool in the order of its world's candidates."""
    by_pool: dict[tuple[str, int, int], dict[str, Read]] = defaultdict(dict)
    for one in cells:
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
