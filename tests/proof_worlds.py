"""A run folder that is ready to be trained in, for tests that plant a fault in what a training is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tune_worlds
from warmstart import process
from warmstart.adapt.apply import apply
from warmstart.base.types import Bundle, Phase, Plan, Proof, Run
from warmstart.street import stops, training
from warmstart.street.folder import Trip, reopen
from warmstart.street.proofs import PROOFS
from warmstart.street.proofs._tick import Scene

SHORT = (Phase(("*",), 3e-3, 3),)
BRISK: dict[str, Any] = {"pilots": False, "race": 0, "baseline": False}


@dataclass(frozen=True)
class Stage:
    """All that a training needs."""

    trip: Trip
    plan: Plan
    bundle: Bundle
    ready: training.Ready

    def train(self, name: str, **changes: Any) -> Run:
        """Carry the plan out, with these changes of it."""
        return training.carry_out(self.trip, name, self.planned(**changes), self.bundle, self.ready)

    def planned(self, **changes: Any) -> Plan:
        return replace(self.plan, **{"phases": SHORT, **changes})

    def scene(self, **changes: Any) -> Scene:
        """The training before its first step."""
        plan, task = self.planned(**changes), stops.task_of(self.bundle)
        source = training.load_for(self.trip, plan, task.modality)
        adapted = apply(source, plan.edits, self.bundle.labels, plan.seed).pretrained
        return Scene(plan, task, self.bundle, self.ready, adapted, source)


def stage(world: Path, place: Path, data: str, model: str, strategy: str = "full") -> Stage:
    """A plan of the world's data and model, and its rows."""
    models = (str(world / model),)
    plan, folder = process.plan(world / data, runs=place, models=models, strategy=strategy, **BRISK)
    trip = reopen(folder)
    bundle = stops.read(trip)
    loaded = training.load_for(trip, plan, stops.task_of(bundle).modality)
    return Stage(trip, plan, bundle, training.prepare(trip, bundle, loaded))


def tick(name: str, moment: str, scene: Scene) -> Proof:
    """One proof, at the one moment at which it looks."""
    return getattr(PROOFS.get(name)(), moment)(scene)


def proof(run: Run, name: str) -> Proof:
    return next(found for found in run.ticks if found.name == name)


def scene_of(name: str) -> Scene:
    """A training of a tiny model before its first step; its head learns alone first."""
    splits = {**tune_worlds.splits(name, size=64), "test": tune_worlds.split(name, 6, 3, 64)}
    source, model = tune_worlds.pretrained(name), tune_worlds.pretrained(name)
    plan = tune_worlds.plan(tune_worlds.phase(("head",)), tune_worlds.phase())
    numbers = {part: tuple(range(len(split))) for part, split in splits.items()}
    bundle = Bundle("", None, {}, ("a", "b", "c"), (), (), (), "")  # type: ignore[arg-type]
    ready = training.Ready(splits, numbers, "fp32", ())
    return Scene(plan, tune_worlds.task(name), bundle, ready, model, source)
