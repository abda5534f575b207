"""The ranking half of the study: every score of every candidate of a pool, on the rows of its cells.

A pool is a world, a number of rows and a seed; all models that the world names are its candidates. The order
is the product's own (`stops.select`); the scores that it does not print are made of the same features on the
same folds. Records lie in <out>/rankings/, and what lies there is not done again.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.cell import starting
from benchmarks.decisions.logme_published import logme_published
from benchmarks.decisions.worlds import World, world
from warmstart.base.types import Bundle, Candidate, Race
from warmstart.select.judge import PROBE, Judged, compare, fault_of, with_score
from warmstart.select.rank import blind_places
from warmstart.select.sample import sample_rows
from warmstart.select.scores import SCORES
from warmstart.select.scores._asks import ANSWERS, CLASSES, judges
from warmstart.select.scores._scoring import make_folds
from warmstart.street import opening, racing, stops
from warmstart.street.folder import Trip

VERSION = 3  # of what is written
PUBLISHED, ORDER, IMAGENET, PARAMETERS = "logme_published", "order", "imagenet", "parameters"
ACCURACY = "probe_accuracy"  # of the default score's own answers
LAYERS = "upper_layers"  # the probe after each layer, mean over the upper half of them
RACED, RACERS = "raced", 3  # the product's order after its race of so many
TOP_1 = {  # on ImageNet, as published by TF-Slim for float networks at the size that each was trained for
    "mobilenet_v1_0.25_128": 0.415,
    "mobilenet_v1_0.5_160": 0.591,
    "mobilenet_v1_0.75_224": 0.684,
    "mobilenet_v2_1.0_224": 0.718,
}


@dataclass(frozen=True)
class Pool:
    """Candidates that are ranked on the same rows."""

    world: str
    rows: int
    seed: int
    pixels: int = 0

    @property
    def name(self) -> str:
        return f"{self.world}--{self.rows}--{self.seed}"


def pools(worlds: Sequence[str], rows: Sequence[int], seeds: Sequence[int], pixels: int) -> Iterator[Pool]:
    """In the order of the cells: seeds last, then sizes."""
    for seed in seeds:
        for size in rows:
            for chosen in map(world, worlds):
                if size <= chosen.most:
                    yield Pool(chosen.name, size, seed, pixels if chosen.kind == "image" else 0)


def record(pool: Pool, out: Path) -> Path:
    return out / "rankings" / f"{pool.name}.json"


def run(pool: Pool, out: Path) -> dict[str, Any]:
    """The record of a pool; what was done already is not done again."""
    path = record(pool, out)
    if path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    place = out / "work" / f"ranking--{pool.name}"
    shutil.rmtree(place, ignore_errors=True)
    try:
        table = score(pool, out, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(table), encoding="utf-8")
    draft.replace(path)
    return table


def score(pool: Pool, out: Path, place: Path) -> dict[str, Any]:
    """Every score of every candidate, as a table."""
    chosen = world(pool.world)
    trip = starting(chosen, chosen.models, pool, out, place, race=RACERS)
    bundle = stops.read(trip)
    started, cpu = time.perf_counter(), time.process_time()
    ranking, _ = stops.select(trip, bundle)
    selecting = {"wall": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    started, cpu = time.perf_counter(), time.process_time()
    raced, _ = racing.run(trip, bundle, ranking, ())
    racing_took = {"wall": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    named = dict(zip(trip.options.models, chosen.models, strict=True))
    scores: dict[str, dict[str, float | None]] = {name: {} for name in chosen.models}
    for number, one in enumerate(ranking.scored):
        found = scores[named[one.candidate.source]]
        found |= {ORDER: -number, **one.opinions}
        found[PROBE] = one.score.value if one.score.n else None
        found[ACCURACY] = one.accuracy.value if one.accuracy.n else None
        upper = list(one.depths.values())[len(one.depths) // 2 :]
        found[LAYERS] = float(np.mean(upper)) if upper else None
    for number, one in enumerate(raced.scored):
        scores[named[one.candidate.source]][RACED] = -number
    known = [one.candidate for one in ranking.scored]
    further, why, seconds = others(trip, bundle, [*ranking.scored[0].opinions, PROBE])
    for source, more in further.items():
        scores[named[source]] |= more
    for source, more in blind(known, named).items():
        scores[named[source]] |= more
    return {
        "version": VERSION,
        "pool": asdict(pool),
        "scores": scores,
        "absent": {named[source]: reasons for source, reasons in why.items()},
        "intervals": {named[one.candidate.source]: [one.score.low, one.score.high] for one in ranking.scored},
        "race": [reason.so for reason in raced.race.reasons] if raced.race else [],
        "laps": laps(raced.race, named) if raced.race else {},
        "seconds": {"selecting": selecting, "racing": racing_took, "scores": seconds},
        "features": {named[one.candidate.source]: one.seconds for one in ranking.scored},
    }


def laps(race: Race, named: Mapping[str, str]) -> dict[str, list[dict[str, float]]]:
    """What each racer showed, lap by lap."""
    return {
        named[one.source]: [
            {"rows": lap.rows, "accuracy": lap.accuracy.value, "log_loss": lap.log_loss.value}
            for lap in one.laps
        ]
        for one in race.entrants
    }


def others(
    trip: Trip, bundle: Bundle, known: Sequence[str]
) -> tuple[dict[str, dict[str, float | None]], dict[str, dict[str, str]], dict[str, float]]:
    """Of every candidate the scores of classes that are not known yet, why some are absent, CPU seconds."""
    task = stops.task_of(bundle)
    labels = task.targets(bundle, bundle.train).numpy()
    chosen = sample_rows(labels, None, opening.RANKED_ROWS, trip.options.seed)
    opened, _ = opening.open_all(trip, task, bundle, [bundle.train[i] for i in chosen])
    labels, folds = labels[chosen], make_folds(labels[chosen], None, trip.options.seed)
    features = {one.candidate.source: one.features for one in opened}
    judged = [Judged(one.candidate, fault=fault_of(scored(one.features))) for one in opened]
    names = [n for n in SCORES.names() if judges(SCORES.get(n)) == CLASSES and n not in known]
    seconds = {}
    for name in names:
        cpu = time.process_time()
        judged = [
            j if j.fault else with_score(j, name, scored(f), f.get(ANSWERS), labels, folds)
            for j, f in ((j, features[j.candidate.source]) for j in judged)
        ]
        seconds[name] = time.process_time() - cpu
    judged = compare(judged)
    found: dict[str, dict[str, float | None]] = {}
    for one in judged:
        value = None if one.fault else logme_published(scored(features[one.candidate.source]), labels)
        given = {name: one.scorings[name].value if name in one.scorings else None for name in names}
        found[one.candidate.source] = {**given, PUBLISHED: value}
    return found, {j.candidate.source: j.absent for j in judged if j.absent}, seconds


def scored(features: Mapping[str, NDArray[np.floating]]) -> NDArray[np.floating]:
    """What the product scores: the average over layers where there is one, else the last group."""
    groups = [group_ND for name, group_ND in features.items() if name != ANSWERS]
    return features.get("average", groups[-1])


def blind(candidates: Sequence[Candidate], named: Mapping[str, str]) -> dict[str, dict[str, float | None]]:
    """What is known without a look at the rows: parameters, and the place by published ImageNet accuracy.

    Where a pool knows that of two candidates at least, those without one follow in the order of their
    parameters, as in the product (`blind_places`). Where it does not, nothing is said. Other source
    accuracies (of the models that come with the package, on their own pictures) are no ImageNet accuracy.
    """
    dressed = [replace(c, source_accuracy=TOP_1.get(named[c.source])) for c in candidates]
    known = sum(c.source_accuracy is not None for c in dressed) > 1
    places = blind_places(dressed)
    return {
        c.source: {PARAMETERS: float(c.parameters), IMAGENET: -float(places[c.source]) if known else None}
        for c in dressed
    }


def source_of(chosen: World) -> str:
    """What the ImageNet column of a world rests on."""
    have = [m for m in chosen.models if m in TOP_1]
    return f"{len(have)} of {len(chosen.models)} candidates have a published top-1"
