"""The first two stops: the user's rows, split once, and the models that one could start from, ranked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_table, write_json
from warmstart.base.tables import checked
from warmstart.base.types import Bundle, Candidate, Finding, Ranking
from warmstart.data.bundle import load_bundle, open_bundle
from warmstart.models.card import source_task
from warmstart.models.features import pooled_features
from warmstart.models.inputs import Inputs, Some
from warmstart.models.load import Pretrained, candidate, load
from warmstart.models.pool import distinct
from warmstart.models.precision import FP32
from warmstart.select.rank import rank
from warmstart.select.sample import sample_rows
from warmstart.select.scores._asks import ANSWERS
from warmstart.street import unaided
from warmstart.street.folder import Trip
from warmstart.tasks import TASKS
from warmstart.tasks._classification import Classification
from warmstart.tune.memory import looking

DEFAULTS = {  # where a user names no model; small, well known, with weights in safetensors
    "text": ("sentence-transformers/all-MiniLM-L6-v2", "distilbert/distilbert-base-uncased"),
    "image": ("facebook/dinov2-small", "microsoft/resnet-18", "google/mobilenet_v2_1.0_224"),
}
RANKED_ROWS = 2000
PACED = 64  # rows that tell how fast features are read


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
    chosen = sample_rows(labels, groups, RANKED_ROWS, trip.options.seed)
    opened, findings = open_all(trip, task, bundle, [bundle.train[i] for i in chosen])
    beside, noticed = unaided.read(trip, task, bundle, [bundle.train[i] for i in chosen], labels[chosen])
    ranking = rank(
        [one.candidate for one in opened],
        {one.candidate.source: one.features for one in opened},
        labels[chosen],
        groups_N=None if groups is None else groups[chosen],
        score=trip.options.score,
        seconds={one.candidate.source: one.seconds for one in opened},
        pace={one.candidate.source: one.pace for one in opened},
        seed=trip.options.seed,
        unaided=beside,
    )
    findings = (*findings, *noticed, *unaided.unmeasured(beside, ranking))
    write_json(path, {"ranking": ranking, "findings": findings})
    return ranking, findings


@dataclass(frozen=True)
class Opened:
    """A candidate and its features of the rows that rank."""

    candidate: Candidate
    features: dict[str, np.ndarray]
    seconds: float
    pace: float  # seconds per 1,000 rows


def open_all(
    trip: Trip, task: Classification, bundle: Bundle, numbers: Sequence[int]
) -> tuple[list[Opened], tuple[Finding, ...]]:
    """Every candidate that can be opened, one after the other in memory, and what was noticed."""
    opened: list[Opened] = []
    findings: list[Finding] = []
    for source in trip.options.models or DEFAULTS[task.modality]:
        started = time.perf_counter()
        found = open_candidate(trip, source, task)
        if isinstance(found, Finding):
            findings.append(found)
            continue
        known, pretrained = found
        trip.tell({"event": "stop", "stop": "select", "what": f"features of {known.name}"})
        features, pace = look_through(trip, pretrained, task, bundle, numbers)
        opened.append(Opened(known, features, time.perf_counter() - started, pace))
        findings.extend(pretrained.findings)
    refuse_none(opened, findings)
    named = distinct([one.candidate for one in opened])
    return [replace(o, candidate=c) for o, c in zip(opened, named, strict=True)], tuple(findings)


def refuse_none(opened: Sequence[object], findings: Sequence[Finding]) -> None:
    """Raises WarmstartError where none of several candidates could be opened."""
    if not opened:
        raise WarmstartError(
            "no pretrained model could be opened: " + "; ".join(f.what for f in findings),
            "name one that lies on this machine with --from FOLDER",
            "no-model",
        )


def open_candidate(trip: Trip, source: str, task: Classification) -> tuple[Candidate, Pretrained] | Finding:
    """A candidate with its model; one of several that cannot be had is passed over, and said."""
    try:
        pretrained = open_model(trip, source, task)
        known = candidate(trip.locate(source))
        return described(known, source, pretrained), pretrained
    except WarmstartError as error:
        if len(trip.options.models) == 1:
            raise
        return Finding("candidates", "warning", error.wrong, f"passed over; {error.do}", 1)


def described(known: Candidate, source: str, pretrained: Pretrained) -> Candidate:
    """What the card says and the model shows, under the name that the user gave."""
    made_for = known.source_task or source_task({}, pretrained.module.config.to_dict())
    return replace(known, source=source, parameters=pretrained.parameters, source_task=made_for)


def open_model(trip: Trip, source: str, task: Classification) -> Pretrained:
    asked = trip.options
    return load(
        trip.locate(source),
        task.modality,
        seed=asked.seed,
        allow_pickle=asked.allow_pickle,
        device=trip.device,
    )


def look_through(
    trip: Trip, pretrained: Pretrained, task: Classification, bundle: Bundle, numbers: Sequence[int]
) -> tuple[dict[str, np.ndarray], float]:
    """Features after each group, for texts their average over the layers, and what a trained head answers.

    Always in single precision: which candidate is first must not depend on which precision was faster here.
    With them the seconds per 1,000 rows that they take.
    """
    inputs, _ = task.inputs(pretrained, bundle, numbers, trip.cache)
    pretrained.anatomy.precision = FP32
    anatomy, head = pretrained.anatomy, bool(pretrained.labels)
    found = looking({}, inputs, lambda rows: pooled_features(anatomy, rows, trip.cache, head), trip.tell)
    features = dict(found)
    if head:
        features[ANSWERS] = features.pop(anatomy.names[-1])
    layers = [
        f for name, f in features.items() if name.startswith(("embeddings", "layer.", "stem", "block."))
    ]
    if task.modality == "text" and len({f.shape for f in layers}) == 1:
        features["average"] = np.mean(layers, axis=0, dtype=np.float32)
    return features, pace(trip, pretrained, inputs)


def pace(trip: Trip, pretrained: Pretrained, inputs: Inputs) -> float:
    """Seconds per 1,000 rows of reading features, timed on a few, whether or not they are kept already."""
    few = Some(inputs, np.arange(min(PACED, len(inputs))))
    started = time.perf_counter()
    looking({}, few, lambda rows: pooled_features(pretrained.anatomy, rows), trip.tell)
    return 1000 * (time.perf_counter() - started) / len(few)


def group_numbers(bundle: Bundle, numbers: Sequence[int]) -> np.ndarray | None:
    """A number for each group that must not straddle folds; None where the rows have no groups."""
    column = bundle.roles.get("group")
    if column is None:
        return None
    values = bundle.rows.column(column)
    return np.unique([str(values[number]) for number in numbers], return_inverse=True)[1]
