"""The first two stops: the user's rows, split once, and the models that one could start from, ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_table, write_json
from warmstart.base.tables import checked
from warmstart.base.types import Bundle, Finding, Ranking
from warmstart.data.bundle import load_bundle, open_bundle
from warmstart.select.rank import rank
from warmstart.select.sample import sample_rows
from warmstart.street import opening, shift, suspects, unaided
from warmstart.street.folder import Trip
from warmstart.street.sifting import sift
from warmstart.tasks import TASKS
from warmstart.tasks._classification import Classification


def task_of(bundle: Bundle) -> Classification:
    return TASKS.get(bundle.task)()  # type: ignore[no-any-return]


def read(trip: Trip) -> Bundle:
    """The user's rows, split once. Leaves data.json."""
    asked = trip.options
    if trip.path("data.json").is_file():
        bundle = load_bundle(trip.folder)
    else:
        trip.tell({"event": "stop", "stop": "data", "what": f"reading {asked.data}"})
        bundle = open_bundle(
            trip.locate(asked.data),
            trip.folder,
            text=asked.text or None,
            image=asked.image or None,
            label=asked.label or None,
            group=asked.group or None,
            test=trip.locate(asked.test) or None,
            validation=trip.locate(asked.validation) or None,
            limit=asked.rows or None,
            seed=asked.seed,
        )
    return replace(bundle, task=find_task(bundle, asked.task))


def find_task(bundle: Bundle, wanted: str) -> str:
    """The task that the columns make, or the one that was asked for."""
    if wanted:
        task = TASKS.get(wanted)()
        if not task.fits(bundle.roles):
            raise WarmstartError(
                f"{bundle.source}: task {wanted} needs {' and '.join(task.roles)}, found {bundle.roles}",
                "name the columns, for example --text body --label topic",
                "unfit-task",
            )
        return wanted
    for name in TASKS.names():
        if TASKS.get(name)().fits(bundle.roles):
            return name
    raise WarmstartError(
        f"{bundle.source}: no task fits the columns {bundle.roles}",
        "name the columns, for example --text body --label topic",
        "no-task",
    )


def select(trip: Trip, bundle: Bundle) -> tuple[Ranking, tuple[Finding, ...]]:
    """Candidates scored by their frozen features on the training rows. Leaves ranking.json."""
    path = trip.path("ranking.json")
    if path.is_file():
        table = read_table(path, "delete it, and it is made anew", "bad-run")
        findings = checked(tuple[Finding, ...], table.get("findings"), str(path))
        return checked(Ranking, table.get("ranking"), str(path)), findings
    task = task_of(bundle)
    labels = task.targets(bundle, bundle.train).numpy()
    groups = group_numbers(bundle, bundle.train)
    chosen = sample_rows(labels, groups, opening.RANKED_ROWS, trip.options.seed)
    among = None if groups is None else groups[chosen]
    sifted = sift(trip, task, bundle, chosen, labels[chosen], among)
    rows = [bundle.train[i] for i in chosen]
    features = {one.candidate.source: one.features for one in sifted.opened}
    beside, noticed = unaided.read(trip, task, bundle, rows, labels[chosen])
    ranking = rank(
        [one.candidate for one in sifted.opened],
        features,
        labels[chosen],
        groups_N=among,
        score=trip.options.score,
        seconds={one.candidate.source: one.seconds for one in sifted.opened},
        pace={one.candidate.source: one.pace for one in sifted.opened},
        seed=trip.options.seed,
        unaided=beside,
        parted=sifted.parted,
    )
    doubtful = suspects.noticed(trip, bundle, ranking, features, rows, labels[chosen], among)
    findings = (*sifted.findings, *noticed, *unaided.unmeasured(beside, ranking), *doubtful)
    findings += shift.by_floor(trip, task, bundle)
    write_json(path, {"ranking": ranking, "findings": findings})
    return ranking, findings


def group_numbers(bundle: Bundle, numbers: Sequence[int]) -> np.ndarray | None:
    """A number for each group that must not straddle folds; None where the rows have no groups."""
    column = bundle.roles.get("group")
    if column is None:
        return None
    values = bundle.rows.column(column)
    return np.unique([str(values[number]) for number in numbers], return_inverse=True)[1]
