"""The same rows in the same order for every run, so that differences can be paired; else refused."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Predictions, Run

Key = TypeVar("Key", bound=Hashable)
SHARED = ("validation", "test")
ROUNDING = 0.01  # of a sum of probabilities in half precision
AGAIN = "tune and prove the runs again, all on the same data"


def align(runs: Mapping[Key, Run], classes: int) -> dict[Key, Run]:
    """The runs (at least one) with their predictions sorted by row number.

    Raises WarmstartError where a run lacks validation or test rows, differs from the others in rows or truth,
    or answers with anything but probabilities of `classes` classes.
    """
    ordered = {name: _ordered(name, run, classes) for name, run in runs.items()}
    first = next(iter(ordered.values()))
    for name, run in ordered.items():
        for split in SHARED:
            _same(name, split, run.predictions[split], first.predictions[split])
    return ordered


def _ordered(name: object, run: Run, classes: int) -> Run:
    for split in SHARED:
        if split not in run.predictions or not len(run.predictions[split].rows):
            raise WarmstartError(f"run {name!r} has no {split} rows", AGAIN, "no-rows")
    for split, said in run.predictions.items():
        _check(f"run {name!r}, {split} rows", said, classes)
    return replace(run, predictions={split: _sorted(said) for split, said in run.predictions.items()})


def _check(where: str, said: Predictions, classes: int) -> None:
    shape = (len(said.rows), classes)
    if said.probabilities.shape != shape or said.truth.shape != shape[:1]:
        seen = f"{said.probabilities.shape} for {len(said.truth)} true classes"
        raise WarmstartError(f"{where}: shape {seen}, expected {shape}", AGAIN, "wrong-shape")
    right_N = (said.probabilities >= 0).all(1) & (np.abs(said.probabilities.sum(1) - 1) <= ROUNDING)
    if not right_N.all():
        bad = int(np.flatnonzero(~right_N)[0])
        least, total = said.probabilities[bad].min(), said.probabilities[bad].sum()
        seen = f"row {said.rows[bad]} has values from {least:.3g} with sum {total:.3g}"
        raise WarmstartError(f"{where}: {seen}, no probabilities", AGAIN, "no-probabilities")
    if not ((said.truth >= 0) & (said.truth < classes)).all():
        raise WarmstartError(f"{where}: a class beyond the {classes} known", AGAIN, "no-such-class")


def _sorted(said: Predictions) -> Predictions:
    order = np.argsort(said.rows, kind="stable")
    return Predictions(
        said.rows[order], said.truth[order].astype(np.int64), said.probabilities[order].astype(np.float64)
    )


def _same(name: object, split: str, ours: Predictions, theirs: Predictions) -> None:
    if not np.array_equal(ours.rows, theirs.rows) or not np.array_equal(ours.truth, theirs.truth):
        wrong = f"run {name!r} did not answer the same {split} rows as the others"
        raise WarmstartError(wrong, AGAIN, "rows-differ")
