"""Fit the table of decide/record.py on the study's cells: how each strategy fares beside full fine-tuning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log10, sqrt

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.read import Read
from warmstart.decide.record import HALFWAY, MIDDLE, REFERENCE, Record, Trend

RIDGES = (0.3, 1.0, 3.0, 10.0, 100.0, 1e4)  # penalties of the slopes
NEAR = 1.1  # the strongest is taken whose error on sets left out is within this of the lowest
STRATEGIES = ("frozen", "partial", "gradual", "lora", "scratch")

TINY = 1e-9

Floats = NDArray[np.float64]


def records(cells: Sequence[Read]) -> str:
    """The record of each modality, as Python."""
    found = {name: [c for c in cells if c.facts.modality == name] for name in ("image", "text")}
    told = [f'"{name}": {record(mine)!r},' for name, mine in found.items() if mine]
    return "\n".join(["RECORDS = {", *told, "}"])


def record(cells: Sequence[Read]) -> Record:
    """The record that these cells of one modality make."""
    trends = {name: trend(cells, name) for name in STRATEGIES if any(name in c.scores for c in cells)}
    rows = [c.facts.median_per_class for c in cells]
    known = {name: found for name, found in trends.items() if found is not None}
    return Record(known, (min(rows), max(rows)), max(c.facts.parameters for c in cells), len(cells))


def trend(cells: Sequence[Read], strategy: str) -> Trend | None:
    """The line of one strategy, and the spread of cells of sets that it was not fitted to."""
    mine = [c for c in cells if strategy in c.scores and REFERENCE in c.scores]
    sets = sorted({c.cell.world for c in mine})
    if len(sets) < 2:
        return None
    errors = {ridge: squared_error(mine, sets, strategy, ridge) for ridge in RIDGES}
    best = max(ridge for ridge in RIDGES if errors[ridge] <= NEAR * min(errors.values()))
    noise = float(np.mean([c.noise(strategy, REFERENCE) ** 2 for c in mine]))
    spread = sqrt(max(1e-4, errors[best] - noise))
    line = fitted(features(mine), differences(mine, strategy), best)
    return Trend(*(round(float(v), 4) for v in (*line, spread)))


def squared_error(cells: Sequence[Read], sets: Sequence[str], strategy: str, ridge: float) -> float:
    """Mean over cells, each beside the line of the other sets."""
    off = np.concatenate([residuals(cells, name, strategy, ridge) for name in sets])
    return float((off**2).mean())


def residuals(cells: Sequence[Read], world: str, strategy: str, ridge: float) -> Floats:
    """What cells of a set are off the line of the others."""
    others, own = [c for c in cells if c.cell.world != world], [c for c in cells if c.cell.world == world]
    line = fitted(features(others), differences(others, strategy), ridge)
    return differences(own, strategy) - features(own) @ line


def features(cells: Iterable[Read]) -> Floats:
    return np.array([of_facts(c) for c in cells])


def of_facts(read: Read) -> tuple[float, ...]:
    f = read.facts
    ahead = 0.0 if f.baseline is None else f.probe - f.baseline
    return 1.0, log10(max(1.0, f.median_per_class) / MIDDLE), f.similarity - HALFWAY, ahead


def differences(cells: Iterable[Read], strategy: str) -> Floats:
    return np.array([c.scores[strategy] - c.scores[REFERENCE] for c in cells])


def fitted(features_NK: Floats, values_N: Floats, ridge: float) -> Floats:
    """Ridge on all columns but the first, each in units of its standard deviation."""
    penalty = ridge * np.diag([0.0, *(features_NK[:, 1:].var(0) + TINY)])
    line: Floats = np.linalg.solve(features_NK.T @ features_NK + penalty, features_NK.T @ values_N)
    return line
