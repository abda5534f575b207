"""Adapt and tune one plan, and ask the tuned model about every split: the plan and its rivals alike."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.adapt.apply import apply
from warmstart.adapt.describe import describe
from warmstart.adapt.edits._labels import match
from warmstart.adapt.merge import merge_adapters
from warmstart.base.files import read_json, write_json, write_text
from warmstart.base.seeds import generator
from warmstart.base.tables import checked, to_table
from warmstart.base.types import Bundle, Facts, Finding, Plan, Predictions, Run
from warmstart.decide.choose import plan_for
from warmstart.models.features import logits_of
from warmstart.models.inputs import digest
from warmstart.models.load import Pretrained, load, quiet
from warmstart.street.folder import Trip
from warmstart.street.stops import task_of
from warmstart.tune.guards import GUARDS
from warmstart.tune.job import Split
from warmstart.tune.loop import Keeping, tune

SPLITS = ("train", "validation", "test")
TRAIN_SAMPLE = 1000  # training rows that the finished model is asked about
SAME = 1e-5  # largest difference between what was measured and what the saved model says


@dataclass(frozen=True)
class Ready:
    """The rows of every split as a model reads them."""

    splits: Mapping[str, Split]
    numbers: Mapping[str, tuple[int, ...]]
    findings: tuple[Finding, ...]


def prepare(trip: Trip, bundle: Bundle, pretrained: Pretrained) -> Ready:
    """Tokenise or decode every split once; the plan and its rivals share it."""
    task = task_of(bundle)
    numbers = {name: bundle.split(name) for name in SPLITS}
    splits, findings = {}, []
    for name in SPLITS:
        inputs, noticed = task.inputs(pretrained, bundle, numbers[name], trip.cache)
        splits[name] = Split(inputs, task.targets(bundle, numbers[name]))
        findings += [replace(f, what=f"{name}: {f.what}") for f in noticed]
    return Ready(splits, numbers, tuple(findings))


def rival_plans(plan: Plan, facts: Facts) -> list[Plan]:
    """Scratch and frozen beside the plan, full beside a frozen one: same rows, seed and guards."""
    names = ["frozen", "scratch"] if plan.strategy != "frozen" else ["full", "scratch"]
    fair = tuple(g for g in plan.guards if GUARDS.get(g["name"]).mitigates == "overfitting")
    return [
        replace(plan_for(name, facts, plan.model, seed=plan.seed), guards=fair, batch=plan.batch)
        for name in names
        if name != plan.strategy
    ]


def carry_out(trip: Trip, name: str, plan: Plan, bundle: Bundle, ready: Ready) -> Run:
    """Train by `plan` and ask about every split. Leaves training/<name>/ with the model and its answers."""
    folder = trip.path("training", name)
    mark = fingerprint(plan, bundle)
    if (folder / "run.json").is_file():
        table = read_json(folder / "run.json")
        if table["fingerprint"] == mark:
            return read_run(folder, table)
        shutil.rmtree(folder)
    task = task_of(bundle)
    trip.tell({"event": "stop", "stop": "tune", "what": name})
    started = load_for(trip, plan, task.modality)
    before = started.anatomy
    adapted = apply(started, plan.edits, bundle.labels, plan.seed)
    write_text(folder / "anatomy.txt", describe(before, adapted.pretrained.anatomy, plan, adapted.notes))
    keeping = Keeping(trip.cache, checkpoints=folder / "checkpoints")
    splits = {n: ready.splits[n] for n in ("train", "validation")}

    def tell(event: dict[str, Any]) -> None:
        trip.tell({"run": name, **event})

    trained = tune(adapted.pretrained, plan, task, splits, keeping, tell)
    finished = merge_adapters(adapted.pretrained)
    run = Run(
        name=name,
        plan=plan,
        predictions=answer(finished, plan, task, ready),
        seconds=trained.seconds,
        parameters=finished.parameters,
        trained_parameters=trained.trained_parameters,
        steps=trained.steps,
        history=trained.history,
        proofs={**trained.proofs, "notes": list(adapted.notes)},
    )
    save_model(finished, folder / "model")
    proofs = {**run.proofs, "saved_equals_measured": compare_saved(folder / "model", run, task, ready)}
    run = replace(run, proofs=proofs)
    write_run(folder, run, mark)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return run


def base_run(trip: Trip, plan: Plan, bundle: Bundle, ready: Ready) -> Run | None:
    """The pretrained model as it came, where its own head knows all the user's classes."""
    task = task_of(bundle)
    started = load_for(trip, replace(plan, pretrained=True), task.modality)
    if len(match(bundle.labels, started.labels)) < len(bundle.labels):
        return None
    began = time.perf_counter()
    kept = apply(started, ({"name": "new_head"},), bundle.labels, plan.seed).pretrained
    plain = replace(plan, strategy="base", edits=({"name": "new_head"},), phases=(), pretrained=True)
    answers = answer(kept, plain, task, ready)
    save_model(kept, trip.path("training", "base", "model"))
    return Run("base", plain, answers, time.perf_counter() - began, kept.parameters, 0, 0)


def load_for(trip: Trip, plan: Plan, modality: str) -> Pretrained:
    assert plan.model is not None
    return load(
        plan.model, modality, weights=plan.pretrained, seed=plan.seed, allow_pickle=trip.options.allow_pickle
    )


def answer(pretrained: Pretrained, plan: Plan, task: Any, ready: Ready) -> dict[str, Predictions]:
    """What the model says about validation and test rows and a sample of the training rows."""
    chosen = {name: np.arange(len(ready.splits[name])) for name in SPLITS}
    if len(chosen["train"]) > TRAIN_SAMPLE:
        picked = generator(plan.seed, "train-sample").choice(
            len(chosen["train"]), TRAIN_SAMPLE, replace=False
        )
        chosen["train"] = np.sort(picked)
    out = {}
    for name, places in chosen.items():
        split = ready.splits[name]
        logits = logits_of(pretrained.anatomy, split.inputs)[places]
        rows = np.asarray(ready.numbers[name], np.int64)[places]
        out[name] = Predictions(rows, split.targets.numpy()[places], task.probabilities(logits))
    return out


def save_model(pretrained: Pretrained, folder: Path) -> None:
    """A plain folder of transformers, written whole or not at all."""
    draft = folder.with_name(".model.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    with quiet():
        pretrained.module.save_pretrained(draft)
        pretrained.processor.save_pretrained(draft)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def compare_saved(folder: Path, run: Run, task: Any, ready: Ready) -> float:
    """Largest difference of a probability on test rows between the trained model and the saved one."""
    again = load(str(folder), task.modality)
    saved = answer(again, run.plan, task, replace(ready, splits=dict(ready.splits)))["test"].probabilities
    difference = float(np.abs(saved - run.predictions["test"].probabilities).max())
    if difference > SAME:
        raise RuntimeError(f"{folder}: the saved model differs from the measured one by {difference:g}")
    return difference


def fingerprint(plan: Plan, bundle: Bundle) -> str:
    table = {k: v for k, v in to_table(plan).items() if k != "reasons"}
    return digest(str((table, bundle.fingerprint, bundle.labels)).encode())


def write_run(folder: Path, run: Run, mark: str) -> None:
    arrays: dict[str, Any] = {}
    for name, said in run.predictions.items():
        arrays |= {
            f"{name}.rows": said.rows,
            f"{name}.truth": said.truth,
            f"{name}.probs": said.probabilities,
        }
    draft = folder / ".predictions.npz"
    np.savez(draft, **arrays)
    draft.replace(folder / "predictions.npz")
    table = {k: v for k, v in vars(run).items() if k != "predictions"}
    write_json(folder / "run.json", {"fingerprint": mark, "run": table})


def read_run(folder: Path, table: Mapping[str, Any]) -> Run:
    with np.load(folder / "predictions.npz", allow_pickle=False) as arrays:
        said = {
            name: Predictions(arrays[f"{name}.rows"], arrays[f"{name}.truth"], arrays[f"{name}.probs"])
            for name in SPLITS
        }
    fields = dict(table["run"])
    plan = checked(Plan, fields.pop("plan"), str(folder / "run.json"))
    return Run(plan=plan, predictions=said, **{**fields, "history": tuple(fields["history"])})
