"""From the records of a study to all its figures, as one table that JSON can hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decisions import outlay, ranking
from benchmarks.decisions.agreement import (
    AS_SCORES,
    FEWEST,
    SPLITS,
    WITHIN,
    Placed,
    ceilings,
    hits_of_truth,
    other_seeds,
    other_strategies,
    placed,
    truths,
)
from benchmarks.decisions.cell import VERSION
from benchmarks.decisions.policies import Policy, policies_of
from benchmarks.decisions.pools import Raced, races, rankings
from benchmarks.decisions.read import Read, read_all
from benchmarks.decisions.regret import band, costs, summary
from benchmarks.decisions.spread import DRAWS, Mean, mean_of
from benchmarks.decisions.worlds import world
from warmstart.select.judge import PROBE

SCORES = (  # in the order of the columns
    PROBE,
    "logme",
    ranking.PUBLISHED,
    "h_score",
    "knn",
    "transrate",
    "sfda",
    "nleep",
    "leep",
    "ncti",
    ranking.IMAGENET,
    ranking.PARAMETERS,
    ranking.ACCURACY,
    ranking.LAYERS,
    ranking.ORDER,
    ranking.RACED,
)
CEILINGS = ("halves", "drawn anew")
QUICK_SPLITS, QUICK_DRAWS = 3, 400
ALL = "all"


def figures(
    out: Path,
    *,
    quick: bool = False,
    incomplete: bool = False,
    policies: Callable[[Sequence[Read]], Mapping[str, Policy]] = policies_of,
    version: int = VERSION,
) -> dict[str, Any]:
    """Everything that the tables show. `incomplete`: also of pools some of whose candidates are not tuned."""
    splits, draws = (QUICK_SPLITS, QUICK_DRAWS) if quick else (SPLITS, DRAWS)
    cells = read_all(out, version)
    found = races(cells)
    whole = [r for r in found if not r.lacking or (incomplete and len(r.tuned) >= FEWEST)]
    return {
        "cells": len(cells),
        "quick": quick,
        "pools": {"judged": [r.name for r in whole], "lacking": lacking(found, whole)},
        "rankings": ranked(whole, rankings(out, ranking.VERSION), splits, draws),
        "decisions": decided(cells, policies(cells), splits, draws),
        "outlay": outlay.summed(cells, draws),
        "accuracies": [accuracies(cell) for cell in cells],
        "seconds": seconds(out),
    }


def lacking(found: Sequence[Raced], whole: Sequence[Raced]) -> dict[str, list[str]]:
    """Of each pool that is not judged the candidates that are not tuned yet."""
    judged = {r.name for r in whole}
    return {r.name: list(r.lacking) for r in found if r.name not in judged}


def ranked(
    whole: Sequence[Raced], scores: Mapping[str, Mapping[str, Any]], splits: int, draws: int
) -> dict[str, Any]:
    """How each score did: in all pools, by kind and rows, and in each set."""
    scored = [r for r in whole if r.name in scores]
    did = {r.name: {s: one(r, scores[r.name]["scores"], s) for s in SCORES} for r in scored}
    seen = {r.name: ceilings(r, splits) for r in scored}
    groups: dict[str, list[Raced]] = {ALL: scored}
    for r in scored:
        groups.setdefault(f"{world(r.world).kind}, {band(r.rows)} rows", []).append(r)
    sets = dict.fromkeys(r.world for r in scored)
    return {
        "pools": len(scored),
        "unscored": [r.name for r in whole if r.name not in scores],
        "groups": {g: {s: over(s, some, did, draws) for s in SCORES} for g, some in groups.items()},
        "sets": {w: by_set(w, scored, did, seen) for w in sets},
        "ceilings": ceiling(scored, seen, draws),
        "near": near_the_best(scored, splits, draws),
        "detail": {
            r.name: {
                "truth": truths(r),
                "scores": {s: asdict(p) for s in SCORES if (p := did[r.name][s]) is not None},
            }
            for r in scored
        },
    }


def one(raced: Raced, scores: Mapping[str, Mapping[str, float | None]], name: str) -> Placed | None:
    mine = {model: given.get(name) for model, given in scores.items()}
    return placed(raced, mine, {model: given.get(PROBE) for model, given in scores.items()})


Did = Mapping[str, Mapping[str, Placed | None]]  # by pool and score
Seen = Mapping[str, Mapping[str, float]]  # by pool: the truth with itself


def over(name: str, some: Sequence[Raced], did: Did, draws: int) -> dict[str, Any] | None:
    """The means of one score over pools, with intervals clustered by set."""
    pairs = [(r, p) for r in some if (p := did[r.name][name]) is not None]
    if not pairs:
        return None

    def mean(value: Callable[[Placed], float]) -> dict[str, Any] | None:
        return table(mean_of([value(p) for _, p in pairs], [r.world for r, _ in pairs], draws))

    return {
        "tau": mean(lambda p: p.tau["full"]),
        "tau_best": mean(lambda p: p.tau["best"]),
        "tau_scipy": mean(lambda p: p.tau_scipy),
        "default_ahead": mean(lambda p: p.default_tau - p.tau["full"]),
        "regret": mean(lambda p: p.regret),
        "regret_fair": mean(lambda p: p.regret_fair),
        "within": mean(lambda p: float(p.regret <= WITHIN)),
        "race": mean(lambda p: p.race),
        "race_fair": mean(lambda p: p.race_fair),
        "race_within": mean(lambda p: float(p.race <= WITHIN)),
    }


def table(mean: Mean | None) -> dict[str, Any] | None:
    return None if mean is None else asdict(mean)


def by_set(name: str, scored: Sequence[Raced], did: Did, seen: Seen) -> dict[str, Any]:
    """Mean tau and regret of each score over the pools of a set, and of the truth with itself."""
    pools = [r.name for r in scored if r.world == name]
    mine = [did[pool] for pool in pools]
    found = {s: [p for d in mine if (p := d[s]) is not None] for s in SCORES}
    return {
        "pools": len(mine),
        "ceilings": {k: float(np.mean([seen[pool][k] for pool in pools])) for k in CEILINGS},
        "candidates": len(world(name).models),
        "tau": {s: float(np.mean([p.tau["full"] for p in ps])) for s, ps in found.items() if ps},
        "regret": {s: float(np.mean([p.regret for p in ps])) for s, ps in found.items() if ps},
        "judged": {s: int(min(p.candidates for p in ps)) for s, ps in found.items() if ps},
    }


def ceiling(scored: Sequence[Raced], seen: Seen, draws: int) -> dict[str, Any]:
    """How far the noise of the truth lets any score come."""
    sets = [r.world for r in scored]
    found = {name: table(mean_of([seen[r.name][name] for r in scored], sets, draws)) for name in CEILINGS}
    for name in AS_SCORES:
        some = [(r.world, t) for r in scored if (t := other_strategies(r).get(name)) is not None]
        found[name] = table(mean_of([t for _, t in some], [w for w, _ in some], draws))
    again = [(r.world, t) for r in scored if (t := other_seeds(r, scored)) is not None]
    found["other seeds"] = table(mean_of([t for _, t in again], [w for w, _ in again], draws))
    return found


def near_the_best(scored: Sequence[Raced], splits: int, draws: int) -> dict[str, Any]:
    """How often what the truth has first, seen elsewhere, is near the best: a ceiling for any choice."""
    seen = [(r.world, hits_of_truth(r, scored, splits)) for r in scored]
    return {
        name: table(mean_of([v for _, v in some], [w for w, _ in some], draws))
        for name in ("halves", "other seeds")
        if (some := [(w, v) for w, hits in seen if (v := hits[name]) is not None])
    }


def decided(cells: Sequence[Read], policies: Mapping[str, Policy], splits: int, draws: int) -> dict[str, Any]:
    """What each way to decide costs: in all cells, and by kind and rows."""
    cost = costs(cells, policies, splits)
    groups: dict[str, list[int]] = {ALL: list(range(len(cells)))} if cells else {}
    for number, cell in enumerate(cells):
        groups.setdefault(cell.kind, []).append(number)
        groups.setdefault(f"{cell.kind}, {band(cell.cell.rows)} rows", []).append(number)
    ordered = sorted(groups, key=lambda g: (g != ALL, g))
    return {
        group: {
            name: asdict(line)
            for name, line in summary(
                [cells[i] for i in groups[group]], [cost[i] for i in groups[group]], draws
            ).items()
        }
        for group in ordered
    }


def accuracies(cell: Read) -> dict[str, Any]:
    """What each strategy of a cell reached on the proving rows."""
    return {
        **asdict(cell.cell),
        "kind": cell.kind,
        "proving": len(next(iter(cell.right.values()))),
        "planned": cell.table["planned"],
        "accuracy": dict(cell.scores),
        "cpu": {name: arm["cpu"] for name, arm in cell.table["arms"].items()},
        "failed": dict(cell.table["failed"]),
    }


def seconds(out: Path) -> list[dict[str, Any]]:
    """What ranking took beside an epoch of tuning, as it was measured last."""
    path = out / "seconds.json"
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []
