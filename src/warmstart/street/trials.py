"""Trials: trainings on some of the rows, through the one loop, judged on rows that they did not learn from.

So the race tries candidates, the decision tries strategies, and probes learn what labels and weights are
worth. A trial leaves what it answered and what it took in trials/<name>/, and no model.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from warmstart.adapt.apply import apply
from warmstart.adapt.merge import merge_adapters
from warmstart.base.seeds import generator
from warmstart.base.types import Bundle, Plan, Predictions, Run
from warmstart.models.inputs import Some, digest
from warmstart.models.load import Pretrained
from warmstart.street import kept, training
from warmstart.street.folder import Trip
from warmstart.street.retaining import retained
from warmstart.street.stops import group_numbers, task_of
from warmstart.street.training import LEARNED_FROM, Ready
from warmstart.tasks._classification import Classification
from warmstart.tune.finite import check_answers
from warmstart.tune.job import Split
from warmstart.tune.loop import tune
from warmstart.tune.memory import Limits, logits_in_parts
from warmstart.tune.trunk import Keeping

SHARE = 0.5  # of the training rows that no trial learns from: all are judged on them

Places = NDArray[np.int64]
# Of the weights as they were loaded, in place; what it returns is kept among the proofs.
Change = Callable[[Pretrained], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Deal:
    """Places of training rows: an order to learn in, so that trials are nested, and those that judge."""

    teaching: Places
    judging: Places

    def first(self, rows: int) -> Places:
        return np.sort(self.teaching[:rows])


@dataclass(frozen=True)
class Asked:
    """Rows that a trial is asked about, and what the bundle calls them."""

    split: Split
    numbers: Places


def asked(ready: Ready, name: str, places: Places | None = None) -> Asked:
    """All rows of a split, or those at some places."""
    split, numbers = ready.splits[name], np.asarray(ready.numbers[name], np.int64)
    return Asked(split, numbers) if places is None else Asked(part(split, places), numbers[places])


def deal(bundle: Bundle, seed: int, share: float = SHARE) -> Deal:
    """Deal out the training rows: classes in their proportions wherever one cuts, groups on one side."""
    labels = task_of(bundle).targets(bundle, bundle.train).numpy()
    groups = group_numbers(bundle, bundle.train)
    rng = generator(seed, "trials")
    order = spread(labels, rng.permutation(len(labels)))
    judging = np.zeros(len(labels), bool)
    if groups is None:
        judging[order[len(order) - round(share * len(order)) :]] = True
    else:
        for group in rng.permutation(np.unique(groups)):
            inside = groups == group
            if judging.sum() + inside.sum() <= share * len(labels):
                judging |= inside
    return Deal(order[~judging[order]], np.flatnonzero(judging))


def spread(labels_N: NDArray[np.int64], order_N: Places) -> Places:
    """The order changed so little that each class is spread evenly over it."""
    place_N = np.empty(len(labels_N))
    for label in np.unique(labels_N):
        mine = order_N[labels_N[order_N] == label]
        place_N[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
    return order_N[np.argsort(place_N[order_N], kind="stable")]


def trial(
    trip: Trip,
    name: str,
    plan: Plan,
    bundle: Bundle,
    ready: Ready,
    teaching: Places,
    judged: Mapping[str, Asked],
    *,
    change: Change | None = None,
    changed: str = "",
) -> Run:
    """Train by `plan` on these places of the training rows and answer the `judged` rows, by name.

    The validation rows choose as ever. `change` alters the weights before the plan's edits and before
    anything learns, and `changed` says how: it is part of what a trial is known by. A trial that lies in the
    folder is not done again.
    """
    folder = trip.path("trials", name)
    what = (teaching.tobytes(), sorted((k, a.split.inputs.key) for k, a in judged.items()), changed)
    mark = digest(kept.fingerprint(plan, bundle).encode(), repr(what).encode())
    done = kept.read_run(folder, mark, model=False)
    if done is not None:
        return done
    shutil.rmtree(folder, ignore_errors=True)
    started, task = time.perf_counter(), task_of(bundle)
    loaded, noted = start(trip, plan, task.modality, change)
    known = retained(plan, lambda: start(trip, plan, task.modality, change)[0])
    adapted = apply(loaded, plan.edits, bundle.labels, plan.seed)
    del loaded  # on a GPU another copy of the weights is dear
    splits = {split: ready.splits[split] for split in LEARNED_FROM}
    splits["train"] = part(splits["train"], teaching)
    exact = replace(plan, precision=training.precision_of(plan, ready))
    trip.tell({"event": "stop", "stop": "tune", "what": f"trial {name}: {len(teaching):,} rows"})
    trained = tune(adapted.pretrained, exact, task, splits, Keeping(trip.cache), retained=known)
    finished = merge_adapters(adapted.pretrained)
    run = Run(
        name=name,
        plan=plan,
        predictions={called: answered(finished, rows, task) for called, rows in judged.items()},
        seconds=time.perf_counter() - started,
        parameters=finished.parameters,
        trained_parameters=trained.trained_parameters,
        steps=trained.steps,
        history=trained.history,
        proofs={**trained.proofs, **noted, "rows": len(teaching), "tuning": trained.seconds},
    )
    folder.mkdir(parents=True)
    kept.write_run(folder, run, mark)
    return run


def start(
    trip: Trip, plan: Plan, modality: str, change: Change | None
) -> tuple[Pretrained, Mapping[str, Any]]:
    """The plan's source with its weights altered, and what was noted: guards remember no other one."""
    loaded = training.load_for(trip, plan, modality)
    return loaded, (change(loaded) or {}) if change is not None else {}


def answered(finished: Pretrained, rows: Asked, task: Classification) -> Predictions:
    """What the model says about the rows, in float32."""
    split = rows.split
    logits = logits_in_parts(finished.anatomy, split.inputs, 0, Limits())
    check_answers(split, np.arange(len(split)), logits)
    return Predictions(rows.numbers, split.targets.numpy(), task.probabilities(logits))


def part(split: Split, places: Places) -> Split:
    """Some rows of a split."""
    name_of = split.name_of
    name = None if name_of is None else lambda place: name_of(int(places[place]))
    return Split(Some(split.inputs, places), split.targets[torch.from_numpy(places)], name)
