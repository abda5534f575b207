"""The pilots of a cell: strategies tried on a quarter of its rows, as the product does before it decides."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decisions.arms import plans, told
from benchmarks.decisions.cell import record, setting_out
from benchmarks.decisions.worlds import Cell
from warmstart.base.errors import WarmstartError
from warmstart.street import deciding, stops, training
from warmstart.street.trials import asked, deal, trial

SHARE = 0.25  # of the training rows
TRIED = ("full", "scratch", "frozen", "gradual", "lora")
JUDGED, TEST = "judged", "test"


def kept(cell: Cell, out: Path) -> Path:
    return out / "pilots" / record(cell, out).name


def run(cell: Cell, out: Path) -> dict[str, Any]:
    """What the trials of a cell gave; what was done already is not done again."""
    path = kept(cell, out)
    if path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    place = out / "work" / f"{cell.name}--pilots"
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
    trip = setting_out(cell, out, place)
    bundle = stops.read(trip)
    ranking, _ = stops.select(trip, bundle)
    facts = deciding.look(trip, bundle, ranking)
    ready = training.prepare(trip, bundle, deciding.opened(trip, bundle, ranking))
    dealt, places = deal(bundle, trip.options.seed), [str(value) for value in bundle.rows.column("place")]
    teaching = dealt.first(round(SHARE * len(bundle.train)))
    rows = {JUDGED: asked(ready, "train", dealt.judging), TEST: asked(ready, "test")}
    table: dict[str, Any] = {"rows": len(teaching), "judged": len(dealt.judging), "trials": {}, "failed": {}}
    arrays: dict[str, Any] = {}
    for name, plan in plans(facts, ranking.best.candidate.source, cell.seed):
        if name not in TRIED:
            continue
        cpu = time.process_time()
        try:
            tried = trial(trip, name, plan, bundle, ready, teaching, rows)
        except WarmstartError as error:
            table["failed"][name] = error.wrong
            continue
        spent = {"cpu": time.process_time() - cpu, "tuning": tried.proofs["tuning"], "steps": tried.steps}
        table["trials"][name] = spent
        for split, said in tried.predictions.items():
            for key, values in told(said, places).items():
                arrays[f"{name}.{split}.{key}"] = values
    return table, arrays
