"""What the whole ranking of a pool takes beside tuning one of its candidates for one epoch.

Both on the same rows, in one process, with an empty cache each, after a small round of both that pays for
imports and for what libraries prepare. The ranking reads the rows, opens every candidate, runs them once and
judges them at all depths. The epoch opens its candidate, reads the rows and takes a step for each batch, with
all layers learning; as in any training the validation rows (one for every 20) are looked at before and after.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.decisions.worlds import World, items, world
from benchmarks.street import at_pixels
from warmstart.adapt.apply import apply
from warmstart.base.seeds import generator
from warmstart.base.types import Bundle, Facts, Ranking
from warmstart.decide.choose import plan_for
from warmstart.models.card import ZOO
from warmstart.street import deciding, opening, stops, training
from warmstart.street.folder import Options, Trip, begin

ROWS, LOOKED_AT, FIRST = 1000, 20, 40  # of the round before
SETS = ("mnist_small", "trashnet")


@dataclass
class Took:
    cpu: float = 0.0
    wall: float = 0.0


@contextmanager
def taking() -> Iterator[Took]:
    """Processor seconds of this process (user and system), and seconds on the clock."""
    took, cpu, wall = Took(), time.process_time(), time.perf_counter()
    yield took
    took.cpu, took.wall = time.process_time() - cpu, time.perf_counter() - wall


def measure(name: str, rows: int, pixels: int, out: Path, rounds: int = 1) -> dict[str, Any]:
    """The medians over rounds for one set: the ranking, and an epoch of its smallest, middle and largest."""
    once(name, FIRST, pixels, out)
    found = [once(name, rows, pixels, out) for _ in range(rounds)]
    last = found[-1]
    return {
        **last,
        "rounds": rounds,
        "ranking": middle([f["ranking"] for f in found]),
        "epochs": [{**e, **middle([f["epochs"][i] for f in found])} for i, e in enumerate(last["epochs"])],
        "machine": machine(),
    }


def middle(took: Sequence[dict[str, Any]]) -> dict[str, float]:
    return {kind: statistics.median(t[kind] for t in took) for kind in ("cpu", "wall")}


def machine() -> str:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    import torch

    return f"{torch.get_num_threads()} thread of {os.cpu_count()} processors, load {load:.1f}"


def once(name: str, rows: int, pixels: int, out: Path) -> dict[str, Any]:
    """One ranking and three epochs."""
    chosen = world(name)
    place = out / "work" / f"seconds--{name}"
    shutil.rmtree(place, ignore_errors=True)
    try:
        write(chosen, rows, place / "rows.csv")
        sources = [m if m.startswith(ZOO) else at_pixels(m, pixels, out) for m in chosen.models]
        trip = starting(chosen, sources, place / "ranking")
        bundle = stops.read(trip)
        with taking() as ranked:
            ranking, _ = stops.select(trip, bundle)
        parts = parts_of(trip, bundle, ranked)
        facts = deciding.look(trip, bundle, ranking)
        epochs = []
        for number, (model, size) in enumerate(three(ranking)):
            with taking() as took:
                inside = epoch(starting(chosen, [model], place / f"epoch-{number}"), facts, model)
            epochs.append({"model": Path(model).name, "parameters": size, **asdict(took), **inside})
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return {
        "set": name,
        "rows": len(bundle.train),
        "pixels": pixels,
        "candidates": len(sources),
        "ranking": asdict(ranked),
        "parts": parts,
        "features": {one.candidate.name: one.seconds for one in ranking.scored},
        "epochs": epochs,
    }


def write(chosen: World, rows: int, path: Path) -> None:
    """So many rows of a set to learn from, its published test rows among them, and some to look at."""
    found = [*items(chosen, "train"), *items(chosen, "test")]
    order = generator(0, "seconds", chosen.name).permutation(len(found))
    looked_at = max(2, rows // LOOKED_AT)
    count = min(rows, len(found) - 2 * looked_at)
    splits = ["train"] * count + ["validation"] * looked_at + ["test"] * looked_at
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([chosen.kind, "label", "split"])
        for split, number in zip(splits, order[: len(splits)], strict=True):
            table.writerow([found[number].value, found[number].label, split])


def starting(chosen: World, models: Sequence[str], place: Path) -> Trip:
    """A trip with a cache of its own."""
    asked = {chosen.kind: chosen.kind, "label": "label", "group": "none"}
    data = str(place.parent / "rows.csv")
    return begin(Options(data, models=tuple(models), baseline=False, **asked), place)


def three(ranking: Ranking) -> list[tuple[str, int]]:
    """Source and parameters of the smallest, the middle and the largest candidate."""
    known = sorted((one.candidate.parameters, one.candidate.source) for one in ranking.scored)
    chosen = [known[0], known[len(known) // 2], known[-1]]
    return [(source, size) for size, source in chosen]


def epoch(trip: Trip, facts: Facts, model: str) -> dict[str, float]:
    """Tune all layers for one epoch; of its processor seconds those for reading rows and for steps."""
    bundle = stops.read(trip)
    task = stops.task_of(bundle)
    pretrained = opening.open_model(trip, model, task)
    facts = replace(facts, groups=pretrained.anatomy.names, parameters=pretrained.parameters)
    plan = plan_for("full", facts, model)
    plan = replace(plan, phases=(replace(plan.phases[-1], epochs=1),), guards=())
    with taking() as reading:
        ready = training.prepare(trip, bundle, pretrained)
    adapted = apply(pretrained, plan.edits, bundle.labels, plan.seed)
    with taking() as tuning:
        training.learn(trip, "full", adapted.pretrained, plan, bundle, ready)
    return {"reading": reading.cpu, "tuning": tuning.cpu}


def parts_of(trip: Trip, bundle: Bundle, whole: Took) -> dict[str, float]:
    """Where the processor seconds of a ranking go: reading rows, running, opening and judging.

    Measured after the ranking, on what it left: reading the rows anew, which candidates of one size share;
    and the ranking once more from its cache, which opens and judges. Running the candidates is what remains.
    """
    task = stops.task_of(bundle)
    opened = [opening.open_model(trip, source, task) for source in trip.options.models]
    fresh = trip.folder.parent / "fresh"
    with taking() as reading:
        for pretrained in opened:
            task.inputs(pretrained, bundle, bundle.train, fresh)
    trip.path("ranking.json").unlink()
    with taking() as from_cache:
        stops.select(trip, bundle)
    return {
        "reading rows": reading.cpu,
        "running": max(0.0, whole.cpu - reading.cpu - from_cache.cpu),
        "opening and judging": from_cache.cpu,
    }


def run(sets: Sequence[str], pixels: int, out: Path, rounds: int, rows: int = ROWS) -> list[dict[str, Any]]:
    """Measure and keep; the last measurement of all sets is what the tables show."""
    found = [measure(name, rows, pixels, out, rounds) for name in sets]
    out.mkdir(parents=True, exist_ok=True)
    (out / "seconds.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found
