"""The frozen prefix of a phase: run once for all rows, and shown not to have moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from warmstart.base.types import Phase
from warmstart.models.anatomy import BATCH_NORMS, Anatomy, frozen_names
from warmstart.models.features import keep_prefix
from warmstart.models.inputs import Inputs, bytes_of, digest
from warmstart.tune.job import Job, Split
from warmstart.tune.memory import looking

CACHE_LIMIT = 2_000_000_000  # bytes of kept activations a split


@dataclass(frozen=True)
class Keeping:
    """Where activations and checkpoints are kept, and how much of them."""

    cache: Path | None = None  # None: frozen layers are run in every step
    cache_limit: int = CACHE_LIMIT
    checkpoints: Path | None = None  # None: nothing to resume from
    save_seconds: float = 30.0  # at least this long between checkpoints within a phase; 0: after each step
    allow_change: bool = False  # go on also where plan, data or model are others than those it was begun with


def behind_prefix(job: Job, phase: Phase, keeping: Keeping) -> tuple[Mapping[str, Split], int]:
    """The splits behind the frozen prefix, and the number of the first group that has to run."""
    boundary = job.anatomy.boundary(phase.learn)
    if boundary == 0 or keeping.cache is None:
        return job.splits, 0
    kept: dict[str, Split] = {}
    cache = keeping.cache

    def keep(rows: Inputs) -> Inputs | None:
        return keep_prefix(job.anatomy, rows, boundary, cache, keeping.cache_limit)

    for name, split in job.splits.items():
        inputs = job.crew.in_turn(lambda rows=split.inputs: looking(job.limits, rows, keep, job.tell))  # type: ignore[misc]
        if job.crew.largest(inputs is None)[0] or inputs is None:
            what = "what the frozen layers give is too large to keep here, so they are run in every step"
            job.tell({"event": "note", "what": what})
            return job.splits, 0
        kept[name] = replace(split, inputs=inputs)
    return kept, boundary


def unmoving(job: Job, phase: Phase) -> list[str]:
    """Names of all tensors that this phase must leave as they are, norm statistics among them."""
    still = frozen_names(job.anatomy, phase.learn)
    if job.plan.norm_statistics == "frozen":
        for prefix, module in job.anatomy.model.named_modules(remove_duplicate=False):
            if isinstance(module, BATCH_NORMS):
                still |= {f"{prefix}.{name}" for name, _ in module.named_buffers(recurse=False)}
    return sorted(still)


def fingerprint_of(anatomy: Anatomy, names: Iterable[str]) -> str:
    """A hash of these tensors of the model."""
    state = anatomy.model.state_dict()
    return digest(*(bytes_of(state[name]) for name in names))
