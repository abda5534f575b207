"""A pretrained model and the edits of a plan -> the model that will be tuned, and what was changed."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from warmstart.adapt.edits import EDITS
from warmstart.base.errors import WarmstartError
from warmstart.models.anatomy import may_learn
from warmstart.models.load import Pretrained


@dataclass(frozen=True)
class Adapted:
    """A model after its edits, and one sentence about each of them."""

    pretrained: Pretrained
    notes: tuple[str, ...]


def apply(
    pretrained: Pretrained, edits: Sequence[dict[str, Any]], labels: tuple[str, ...], seed: int
) -> Adapted:
    """Make the edits, in order, on a copy of the model; the given one stays as it is.

    `edits` are tables as plan.yaml holds them, `labels` the names of the user's classes in the order of their
    numbers. All settings are checked before anything is changed. Raises WarmstartError for an unknown edit
    or setting, for an edit that the architecture cannot bear, and where the head does not fit the classes.
    """
    parts = [EDITS.build(table) for table in edits]
    pretrained = pretrained.with_module(copied(pretrained.module))
    notes = []
    for part in parts:
        pretrained, note = part.apply(pretrained, labels, seed)
        notes.append(note)
    check_head(pretrained, labels)
    return Adapted(pretrained, tuple(notes))


def copied(module: nn.Module) -> nn.Module:
    """A deep copy; torch forgets the marks of frozen parameters on the way."""
    twin = copy.deepcopy(module)
    for old, new in zip(module.parameters(), twin.parameters(), strict=True):
        if not may_learn(old):
            new.warmstart_frozen = True  # type: ignore[attr-defined]
    return twin


def check_head(pretrained: Pretrained, labels: tuple[str, ...]) -> None:
    """A head that was made for other classes, or for features that are gone, must not be used in silence."""
    if pretrained.labels != labels:
        raise WarmstartError(
            f"the edits leave {pretrained.source} without a head for the {len(labels)} classes of the data",
            "put {name: new_head} among the edits, after drop_layers and mean_pool",
            "no-head",
        )
