"""One cell of the study: rank one model on these rows, run every strategy to its end, write what happened."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decisions import arms
from benchmarks.decisions.worlds import Cell, Point, World, world, write_cell
from benchmarks.street import at_pixels
from warmstart.base.tables import to_table
from warmstart.models.card import ZOO
from warmstart.street import deciding, pricing, stops, training
from warmstart.street.folder import Options, Trip, begin

VERSION = 3  # of what is written


def record(cell: Cell, out: Path) -> Path:
    return out / "cells" / f"{cell.name.replace(':', '-')}.json"


def run(cell: Cell, out: Path) -> dict[str, Any]:
    """The record of a cell; what was done already is not done again."""
    path = record(cell, out)
    if path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    place = out / "work" / cell.name
    shutil.rmtree(place, ignore_errors=True)
    try:
        table, arrays = explore(cell, out, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path.with_suffix(".npz"), **arrays)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(table), encoding="utf-8")
    draft.replace(path)
    return table


def explore(cell: Cell, out: Path, place: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Everything that is measured, as a table and as arrays by row."""
    trip = setting_out(cell, out, place)
    bundle = stops.read(trip)
    started, cpu = time.perf_counter(), time.process_time()
    ranking, noticed = stops.select(trip, bundle)
    selecting = {"wall": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    facts = deciding.look(trip, bundle, ranking)
    plan, options = deciding.decide(trip, facts, ranking)
    started = time.perf_counter()
    ready = training.prepare(trip, bundle, training.load_for(trip, plan, facts.modality))
    preparing = time.perf_counter() - started
    plans = dict(arms.plans(facts, ranking.best.candidate.source, cell.seed))
    started = time.perf_counter()
    pace = pricing.paces(trip, plans, facts, bundle, ready, plans["full"]).timed
    timing = time.perf_counter() - started
    places = [str(value) for value in bundle.rows.column("place")]
    table: dict[str, Any] = {
        "version": VERSION,
        "cell": asdict(cell),
        "rows": {name: len(bundle.split(name)) for name in ("train", "validation", "test")},
        "classes": list(bundle.labels),
        "seconds": {"selecting": selecting, "preparing": preparing, "timing": timing},
        "pace": to_table(pace),
        "scored": to_table(ranking.best),
        "facts": to_table(facts),
        "planned": plan.strategy,
        "considered": [to_table(option) for option in options],
        "findings": [to_table(f) for f in (*bundle.findings, *noticed)],
        "arms": {},
        "failed": {},
    }
    arrays = {"learned": np.array([places[row] for row in bundle.train])}
    for name, plan in plans.items():
        arm = arms.carry_out(trip, name, plan, bundle, ready)
        if isinstance(arm, str):
            table["failed"][name] = arm
            continue
        table["arms"][name] = {**arm.took, **measured(arm)}
        for split, said in arm.said.items():
            for key, values in arms.told(said, places).items():
                arrays[f"{name}.{split}.{key}"] = values
    return table, arrays


def measured(arm: arms.Arm) -> dict[str, Any]:
    """Accuracy by split, all rows that were not learned from together as "test"."""
    return {
        f"{split}_accuracy": float((said.answers == said.truth).mean()) for split, said in arm.said.items()
    }


def setting_out(cell: Cell, out: Path, place: Path) -> Trip:
    return starting(world(cell.world), (cell.model,), cell, out, place)


def starting(
    chosen: World, models: Sequence[str], point: Point, out: Path, place: Path, race: int = 0
) -> Trip:
    """A trip on the rows of a point of the grid, from these models of its world."""
    data = place / "rows.csv"
    write_cell(chosen, point.rows, point.seed, data)
    asked = {chosen.kind: chosen.kind, "label": "label", "group": "none"}
    sources = tuple(m if m.startswith(ZOO) else at_pixels(m, point.pixels, out) for m in models)
    return begin(Options(str(data), models=sources, seed=point.seed, race=race, **asked), place / "runs")
