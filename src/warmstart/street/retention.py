"""What a source is to remember: rows with labels of its own, else what it answers itself to rows.

    --retain photos/      rows that it was made for, or any that it is to go on answering as before

Rows whose labels are all names of the source's own classes are judged by them; of all others the source's own
answers are what is to be kept. Without --retain these are the new data's own rows, which need no labels to be
answered alike. Rows that choose are never those that prove.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from warmstart.adapt.edits._labels import match
from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import generator
from warmstart.base.types import Bundle
from warmstart.data.bundle import DATA, load_bundle, open_bundle
from warmstart.models.inputs import Inputs, Some
from warmstart.models.load import Pretrained
from warmstart.serve.questions import many
from warmstart.street.folder import Trip
from warmstart.street.training import Ready
from warmstart.tasks._classification import Classification
from warmstart.tune.job import Split
from warmstart.tune.memory import Limits, logits_in_parts

FOLDER = "retained"
TEACHING, PROVING = 0.3, 0.3  # shares of the rows; where a test split was brought, it proves
FEWEST = 20  # rows

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)  # holds tensors: the same only as itself
class Remembered:
    """Rows with class numbers of the source's own head, dealt out once."""

    plain: str  # which rows, in words
    labelled: bool  # by the rows' own labels; else by the source's answers
    teaching: Split  # may be learned from anew; where that is not done they choose as well
    choosing: Split
    proving: Split

    @property
    def chance(self) -> float:
        """Accuracy of always giving the most frequent class, on the rows that prove."""
        return int(torch.bincount(self.proving.targets).max()) / len(self.proving)


def remembered(trip: Trip, source: Pretrained, task: Classification, ready: Ready) -> Remembered | None:
    """The rows, with what the source is to go on answering; None for a source without a trained head.

    Raises WarmstartError where --retain names something that cannot be read, or too few rows.
    """
    if not source.labels:
        return None
    if not trip.options.retain:
        return own_rows(source, ready)
    found = from_table(trip, source, task) or without_labels(trip, source, task)
    if min(map(len, (found.teaching, found.choosing, found.proving))) < FEWEST:
        raise WarmstartError(
            f"--retain {trip.options.retain}: only {len(found.proving):,} of its rows would prove",
            f"give {round(FEWEST / PROVING) + 1} rows or more",
            "few-rows",
        )
    return found


def own_rows(source: Pretrained, ready: Ready) -> Remembered:
    """The new data's rows: those that teach and choose there choose here too, and test rows prove."""

    def answered(name: str) -> Split:
        inputs = ready.splits[name].inputs
        return Split(inputs, answers(source, inputs))

    parts = [answered(name) for name in ("train", "validation", "test")]
    rows = sum(map(len, parts))
    plain = f"{rows:,} rows of the new data, judged by what the source itself answers"
    return Remembered(plain, False, *parts)


def from_table(trip: Trip, source: Pretrained, task: Classification) -> Remembered | None:
    """Rows with labels, of which the test split proves, brought or made; None where they have none."""
    folder, named = trip.path(FOLDER), trip.locate(trip.options.retain)
    try:
        bundle = load_bundle(folder) if (folder / DATA).is_file() else open_bundle(named, folder)
    except WarmstartError:
        return None  # without labels; whatever else is wrong shows again when they are read so
    numbers = [*bundle.train, *bundle.validation, *bundle.test]
    inputs, _ = task.inputs(source, bundle, numbers, trip.cache)
    proving = np.arange(len(numbers) - len(bundle.test), len(numbers))
    others = generator(trip.options.seed, "retained").permutation(len(numbers) - len(bundle.test))
    teaching, choosing = np.split(others, [round(TEACHING / (1 - PROVING) * len(others))])
    places = [np.sort(teaching), np.sort(choosing), proving]
    known = match(bundle.labels, source.labels)
    labelled = len(known) == len(bundle.labels)
    targets = named_targets(task, bundle, numbers, known) if labelled else answers(source, inputs)
    return dealt(words(trip, len(numbers), labelled), labelled, Split(inputs, targets), places)


def named_targets(task: Classification, bundle: Bundle, numbers: list[int], known: dict[int, int]) -> Tensor:
    """Class numbers of the source's head."""
    rows_N = task.targets(bundle, numbers)
    return torch.tensor([known[int(row)] for row in rows_N])


def without_labels(trip: Trip, source: Pretrained, task: Classification) -> Remembered:
    """Rows of a table, or pictures of a folder, which are judged by what the source answers."""
    found = many(trip.locate(trip.options.retain), task.modality)
    inputs, _ = task.encode(source, [one.value for one in found], trip.cache)
    order = generator(trip.options.seed, "retained").permutation(len(found))
    ends = np.cumsum([round(TEACHING * len(found)), round((1 - TEACHING - PROVING) * len(found))])
    places = [np.sort(part) for part in np.split(order, ends)]
    return dealt(words(trip, len(found), False), False, Split(inputs, answers(source, inputs)), places)


def dealt(plain: str, labelled: bool, rows: Split, places: Sequence[Places]) -> Remembered:
    parts = [Split(Some(rows.inputs, some), rows.targets[torch.from_numpy(some)]) for some in places]
    return Remembered(plain, labelled, *parts)


def answers(source: Pretrained, inputs: Inputs) -> Tensor:
    """N class numbers that the source itself gives."""
    return logits_in_parts(source.anatomy, inputs, 0, Limits()).argmax(-1).cpu()


def words(trip: Trip, rows: int, labelled: bool) -> str:
    kept = "judged by their labels" if labelled else "judged by what the source itself answers"
    return f"{rows:,} rows of {trip.options.retain}, {kept}"
