"""The frozen prefix of a phase: run once for all rows, and shown not to have moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from warmstart.base.types import Phase
from warmstart.models.anatomy import BATCH_NORMS, Anatomy, frozen_names
from warmstart.models.features import keep_prefixes
from warmstart.models.inputs import Inputs, bytes_of, digest
from warmstart.tune import worth
from warmstart.tune.job import Job, Split
from warmstart.tune.memory import looking


@dataclass(frozen=True)
class Keeping:
    """Where activations and checkpoints are kept, and how much of them."""

    cache: Path | None = None  # None: frozen layers are run in every step
    cache_limit: int | None = None  # bytes; None: what the folder may hold
    checkpoints: Path | None = None  # None: nothing to resume from
    save_seconds: float = 30.0  # at least this long between checkpoints within a phase; 0: after each step
    thrifty: bool = True  # keep only what pays (tune/worth.py); without, whatever stands before a phase
    allow_change: bool = False  # go on also where plan, data or model are others than those it was begun with


def behind_prefix(job: Job, phase: Phase, keeping: Keeping) -> tuple[Mapping[str, Split], int]:
    """The splits behind the frozen prefix, and the number of the first group that has to run."""
    boundary = job.anatomy.boundary(phase.learn)
    if boundary == 0 or keeping.cache is None:
        return job.splits, 0
    stops = worth_keeping(job, keeping.thrifty)
    if not stops:
        return job.splits, 0
    kept: dict[str, Split] = {}
    cache = keeping.cache

    def keep(rows: Inputs) -> Inputs | None:
        return keep_prefixes(job.anatomy, rows, stops, cache, keeping.cache_limit).get(boundary)

    for name, split in job.splits.items():
        inputs = job.crew.in_turn(lambda rows=split.inputs: looking(job.limits, rows, keep, job.tell))  # type: ignore[misc]
        if job.crew.largest(inputs is None)[0] or inputs is None:
            what = "what the frozen layers give is too large to keep here, so they are run in every step"
            job.tell({"event": "note", "what": what})
            return job.splits, 0
        kept[name] = replace(split, inputs=inputs)
    return kept, boundary


def worth_keeping(job: Job, thrifty: bool) -> list[int]:
    """Groups before which this phase's pass over the rows keeps what stands there; none if it does not pay.

    What a later phase will want is kept in the same pass.
    """
    stops = [job.anatomy.boundary(phase.learn) for phase in job.plan.phases]
    if not thrifty:
        return [stops[job.phase]]
    known = worth.costs(job.anatomy, job.splits["train"].inputs, [stop for stop in stops if stop])
    choices = worth.choose(job.plan.phases, stops, known)
    choice = choices[job.phase]
    job.tell({"phase": job.phase + 1, **worth.event(choice, known[choice.stop])})
    return worth.together(choices, job.phase) if choice.keep else []


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
