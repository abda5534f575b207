"""The run without a network beside the trained ones: it learns from and is asked about the same rows."""

from __future__ import annotations

import shutil
import time
from typing import Any

import numpy as np

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Baseline, Bundle, Finding, Phase, Plan, Predictions, Ranking, Run
from warmstart.floors import FLOORS
from warmstart.floors._regression import Fitted, fit
from warmstart.street import kept
from warmstart.street.folder import Trip
from warmstart.street.training import SPLITS, sample
from warmstart.street.unaided import absent
from warmstart.tasks._classification import Cells, Classification

NAME = "baseline"


def baseline_run(
    trip: Trip, task: Classification, bundle: Bundle, ranking: Ranking, seed: int
) -> tuple[dict[str, Run], tuple[Finding, ...]]:
    """The ranking's baseline, learned from all training rows. Leaves training/baseline/ without a model."""
    known = ranking.baseline
    if known is None or not trip.options.baseline:
        return {}, ()
    plan = plan_of(known, bundle, seed)
    folder, mark = trip.path("training", NAME), kept.fingerprint(plan, bundle)
    done = kept.read_run(folder, mark)
    if done is not None:
        return {NAME: done}, ()
    shutil.rmtree(folder, ignore_errors=True)
    trip.tell({"event": "stop", "stop": "tune", "what": f"{NAME}: {known.plain}"})
    try:
        run = learned(known, plan, task, bundle)
    except WarmstartError as error:
        return {}, (absent(FLOORS.get(known.name)(), error.wrong),)
    folder.mkdir(parents=True)
    kept.write_run(folder, run, mark)
    return {NAME: run}, ()


def plan_of(known: Baseline, bundle: Bundle, seed: int) -> Plan:
    """The plan that says by what the run was made: a regression, and no weights to start from."""
    made: dict[str, Any] = {"name": known.name, "penalty": known.penalty}
    phases = (Phase(learn=("*",), lr=0.0, epochs=1, solver="logistic"),)
    return Plan(NAME, None, bundle.task, phases, edits=(made,), pretrained=False, seed=seed)


def learned(known: Baseline, plan: Plan, task: Classification, bundle: Bundle) -> Run:
    """Learned from the training rows, asked about the rows of which the networks are asked."""
    started, floor = time.perf_counter(), FLOORS.get(known.name)()
    numbers = [n for name in SPLITS for n in bundle.split(name)]
    truth_N = task.targets(bundle, numbers).numpy()
    train = np.arange(len(bundle.train))
    raw_ND = floor.read(Cells(bundle, task.roles[0], tuple(numbers)))
    found = fit(floor, raw_ND, train, truth_N[train], len(bundle.labels), known.penalty)
    said, begin = {}, 0
    for name in SPLITS:
        rows = np.asarray(bundle.split(name), np.int64)
        places = sample(name, len(rows), plan.seed)
        asked = begin + places
        said[name] = Predictions(rows[places], truth_N[asked], found.probabilities_NC[asked])
        begin += len(rows)
    return finished(known, plan, found, said, time.perf_counter() - started)


def finished(known: Baseline, plan: Plan, found: Fitted, said: dict[str, Predictions], seconds: float) -> Run:
    return Run(
        name=NAME,
        plan=plan,
        predictions=said,
        seconds=seconds,
        parameters=found.weights,
        trained_parameters=found.weights,
        steps=0,
        proofs={"penalty": known.penalty, "converged": found.converged},
        baseline=known.plain,
    )
