"""One case: a source, a tuning to another task, and for each limit the model that the product takes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.forgetting import cases
from benchmarks.forgetting.cases import Case
from benchmarks.street import at_pixels
from warmstart import process
from warmstart.base.types import Bundle, Plan, Run
from warmstart.models.load import Pretrained
from warmstart.street import bounding, deciding, stops, training
from warmstart.street.folder import Options, Trip, begin
from warmstart.street.forgetting import right, scores
from warmstart.street.retention import Remembered, remembered
from warmstart.street.training import Ready

LIMITS = ("0.5pt", "1pt", "2pt", "5pt")
PIXELS = 96


def record(case: Case, out: Path) -> Path:
    return out / "cases" / f"{case.name}.json"


def run(case: Case, out: Path, limits: Sequence[str] = LIMITS) -> dict[str, Any]:
    """The record of a case; what was done already is not done again."""
    path = record(case, out)
    if path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    place = out / "work" / case.name
    shutil.rmtree(place, ignore_errors=True)
    try:
        table = explore(case, place, out, limits)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(table), encoding="utf-8")
    draft.replace(path)
    return table


def explore(case: Case, place: Path, out: Path, limits: Sequence[str]) -> dict[str, Any]:
    source, retain = start(case, place, out)
    data = cases.write_new(case, place / "new")
    options = Options(str(data), models=(source,), retain=str(retain), seed=case.seed, strategy="full")
    trip = begin(options, place / "runs")
    bundle = stops.read(trip)
    ranking, _ = stops.select(trip, bundle)
    facts = deciding.look(trip, bundle, ranking)
    plan, _ = deciding.decide(trip, facts, ranking)
    loaded = training.load_for(trip, plan, "image")
    ready = training.prepare(trip, bundle, loaded)
    arms = training.carry_out_all(trip, {plan.strategy: plan}, bundle, ready)
    memory = remembered(trip, loaded, stops.task_of(bundle), ready)
    assert memory is not None, "every source here has a head"
    known = Known({}, {})
    found = [within(trip, x, plan, arms[plan.strategy], bundle, ready, loaded, memory, known) for x in limits]
    tuned = arms[plan.strategy][0]
    return {
        "case": asdict(case),
        "rows": {
            "choosing": len(memory.choosing),
            "teaching": len(memory.teaching),
            "proving": len(memory.proving),
        },
        "before": float(right(scores(loaded, memory.proving.inputs), memory.proving.targets).mean()),
        "new": {"full": accuracy(tuned)},
        "limits": found,
    }


@dataclass(frozen=True)
class Known:
    """What was seen already, whatever the limit: of models on the rows that choose, and on all others."""

    memo: bounding.Memo
    points: dict[str, list[dict[str, Any]]]


def accuracy(run: Run) -> float:
    said = run.predictions["test"]
    return float((said.answers == said.truth).mean())


def within(
    trip: Trip,
    limit: str,
    plan: Plan,
    arm: tuple[Run, ...],
    bundle: Bundle,
    ready: Ready,
    source: Pretrained,
    memory: Remembered,
    known: Known,
) -> dict[str, Any]:
    """What the product takes within a limit; and of every model of its ways what it truly gives and loses."""
    asked = replace(trip, options=replace(trip.options, max_forgetting=limit))
    run, told = bounding.bounded(asked, plan, {plan.strategy: arm}, bundle, ready, source, memory, known.memo)
    search = bounding.Search(asked, bundle, ready, source, memory, bounding.limit_of(limit))
    for name in told.tried:
        if name not in known.points:
            known.points[name] = points(search, name, arm[0])
    return {
        "limit": told.value,
        "chosen": asdict(told.chosen) if told.chosen else None,
        "way": run.proofs["way"],
        "new": accuracy(run),
        "seconds": run.seconds,
        "tried": list(told.tried),
        "models": [point for name in told.tried for point in known.points[name]],
        "needed": told.needed,
    }


def points(search: bounding.Search, name: str, tuned: Run) -> list[dict[str, Any]]:
    """Every mix of a way on rows that chose nothing: accuracy on the new task, and what is lost."""
    from warmstart.street.grafting import way_to

    way = way_to(search.trip, name, tuned.plan, search.bundle, search.source)
    proving, new = search.kept.proving, search.ready.splits["test"]
    before_N = right(scores(search.source, proving.inputs), proving.targets)
    found = []
    for alpha in bounding.ALPHAS:
        way.stand(alpha)
        lost_N = before_N - right(scores(way.source, proving.inputs), proving.targets)
        heads = [float(right(way.new_scores(new.inputs), new.targets).mean())]
        if alpha < 1 and way.solve(search.ready):
            heads.append(float(right(way.new_scores(new.inputs), new.targets).mean()))
        found.append(
            {"way": name, "alpha": alpha, "new": heads, "lost": float(lost_N.mean()), "rows": len(lost_N)}
        )
    return found


def start(case: Case, place: Path, out: Path) -> tuple[str, Path]:
    """The source, and the rows that it is to remember."""
    if case.kind == cases.OWN:
        return f"zoo:{case.network}", cases.write_zoo(case, place / "kept")
    base = at_pixels(case.network, PIXELS, out)
    if case.kind == cases.ANSWERS:
        return str(base), cases.write_others(case, place / "kept")
    learned, kept = cases.write_old(case, place / "old")
    model = out / "sources" / f"{case.network}--{case.old}--{case.seed}"
    if not (model / "config.json").is_file():
        shutil.rmtree(model, ignore_errors=True)
        settings = {"race": 0, "pilots": False, "baseline": False}
        process.run(
            learned, runs=place / "source", models=str(base), strategy="full", seed=case.seed, **settings
        )
        (folder,) = (place / "source").glob("*/model")
        shutil.copytree(folder, model)
    return str(model), kept
