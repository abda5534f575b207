"""Open the models that one could start from, one after the other, and read what their layers say of rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Bundle, Candidate, Finding
from warmstart.models.card import source_task
from warmstart.models.features import pooled_features
from warmstart.models.inputs import Inputs, Some
from warmstart.models.load import Pretrained, candidate, load
from warmstart.models.pool import distinct
from warmstart.models.precision import FP32
from warmstart.select.scores._asks import ANSWERS
from warmstart.street.folder import Trip
from warmstart.tasks._classification import Classification
from warmstart.tune.memory import looking

DEFAULTS = {  # where a user names no model; small, well known, with weights in safetensors
    "text": ("sentence-transformers/all-MiniLM-L6-v2", "distilbert/distilbert-base-uncased"),
    "image": ("facebook/dinov2-small", "microsoft/resnet-18", "google/mobilenet_v2_1.0_224"),
}
RANKED_ROWS = 2000
PACED = 32  # rows that tell how fast features are read


@dataclass(frozen=True)
class Opened:
    """A candidate and its features of the rows that rank."""

    candidate: Candidate
    features: dict[str, np.ndarray]
    seconds: float
    pace: float  # seconds per 1,000 rows

    def joined(self, later: Opened) -> Opened:
        """With the features of further rows behind those that it has."""
        features = {
            name: np.concatenate([mine, later.features[name]]) for name, mine in self.features.items()
        }
        return replace(self, features=features, seconds=self.seconds + later.seconds)

    def ordered(self, order: NDArray[np.int64]) -> Opened:
        """Its rows in another order, or some of them."""
        return replace(self, features={name: values[order] for name, values in self.features.items()})


def named(trip: Trip, task: Classification) -> tuple[str, ...]:
    """Sources of the candidates: the user's, or those that are offered where none is named."""
    return trip.options.models or DEFAULTS[task.modality]


def open_all(
    trip: Trip,
    task: Classification,
    bundle: Bundle,
    numbers: Sequence[int],
    sources: Sequence[str] = (),
    timed: bool = True,
) -> tuple[list[Opened], tuple[Finding, ...]]:
    """Every candidate that can be opened, one after the other in memory, and what was noticed.

    Only those of `sources` where there are any. With `timed` the pace of each is measured.
    """
    opened: list[Opened] = []
    findings: list[Finding] = []
    for source in sources or named(trip, task):
        started = time.perf_counter()
        found = open_candidate(trip, source, task)
        if isinstance(found, Finding):
            findings.append(found)
            continue
        known, pretrained = found
        trip.tell({"event": "stop", "stop": "select", "what": f"features of {known.name}"})
        features, pace = look_through(trip, pretrained, task, bundle, numbers, timed)
        opened.append(Opened(known, features, time.perf_counter() - started, pace))
        findings.extend(pretrained.findings)
    refuse_none(opened, findings)
    known_apart = distinct([one.candidate for one in opened])
    return [replace(o, candidate=c) for o, c in zip(opened, known_apart, strict=True)], tuple(findings)


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
    trip: Trip,
    pretrained: Pretrained,
    task: Classification,
    bundle: Bundle,
    numbers: Sequence[int],
    timed: bool = True,
) -> tuple[dict[str, np.ndarray], float]:
    """Features after each group, for texts their average over the layers, and what a trained head answers.

    Always in single precision: which candidate is first must not depend on which precision was faster here.
    With them the seconds per 1,000 rows that they take; 0 where that is not `timed`.
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
    return features, pace(trip, pretrained, inputs) if timed else 0.0


def pace(trip: Trip, pretrained: Pretrained, inputs: Inputs) -> float:
    """Seconds per 1,000 rows of reading features, timed on a few, whether or not they are kept already."""
    few = Some(inputs, np.arange(min(PACED, len(inputs))))
    started = time.perf_counter()
    looking({}, few, lambda rows: pooled_features(pretrained.anatomy, rows), trip.tell)
    return 1000 * (time.perf_counter() - started) / len(few)
