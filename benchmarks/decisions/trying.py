"""The pilots of a cell: the trials that the decision asks for, by a record that never saw the cell's set."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decisions.arms import plans, told
from benchmarks.decisions.cell import record, setting_out
from benchmarks.decisions.worlds import Cell
from warmstart.base.errors import WarmstartError
from warmstart.decide.pilots import Ask
from warmstart.street import deciding, stops, training
from warmstart.street.trials import asked, deal, trial

JUDGED = "judged"


def kept(cell: Cell, out: Path) -> Path:
    return out / "pilots" / record(cell, out).name


def lacks(cell: Cell, out: Path, ask: Ask) -> bool:
    """Is a trial that is asked for still to be made?"""
    table = before(kept(cell, out), ask)
    return any(name not in table["trials"] and name not in table["failed"] for name in ask.strategies)


def before(path: Path, ask: Ask) -> dict[str, Any]:
    """The trials on as many rows that were made already."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return dict(found) if found.get("rows") == ask.rows else {"rows": ask.rows, "trials": {}, "failed": {}}


def run(cell: Cell, out: Path, ask: Ask) -> dict[str, Any]:
    """What the trials gave that are asked for; those that were made already are not made again."""
    path = kept(cell, out)
    table, arrays = before(path, ask), {}
    if table["trials"]:
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as stored:
            arrays = dict(stored)
    place = out / "work" / f"{cell.name}--pilots"
    shutil.rmtree(place, ignore_errors=True)
    try:
        explore(cell, out, place, ask, table, arrays)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path.with_suffix(".npz"), **arrays)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(table), encoding="utf-8")
    draft.replace(path)
    return table


def explore(
    cell: Cell, out: Path, place: Path, ask: Ask, table: dict[str, Any], arrays: dict[str, Any]
) -> None:
    """Make what is lacking; into the table what it took, into the arrays what it answered."""
    trip = setting_out(cell, out, place)
    bundle = stops.read(trip)
    ranking, _ = stops.select(trip, bundle)
    facts = deciding.look(trip, bundle, ranking)
    ready = training.prepare(trip, bundle, deciding.opened(trip, bundle, ranking))
    dealt, places = deal(bundle, trip.options.seed), [str(value) for value in bundle.rows.column("place")]
    teaching, judged = dealt.first(ask.rows), {JUDGED: asked(ready, "train", dealt.judging)}
    known: Mapping[str, Any] = dict(plans(facts, ranking.best.candidate.source, cell.seed))
    for name in ask.strategies:
        if name in table["trials"] or name in table["failed"]:
            continue
        cpu = time.process_time()
        try:
            tried = trial(trip, name, known[name], bundle, ready, teaching, judged)
        except WarmstartError as error:
            table["failed"][name] = error.wrong
            continue
        spent = {"cpu": time.process_time() - cpu, "tuning": tried.proofs["tuning"], "steps": tried.steps}
        table["trials"][name] = spent
        for key, values in told(tried.predictions[JUDGED], places).items():
            arrays[f"{name}.{JUDGED}.{key}"] = values
