"""Which training a checkpoint belongs to: its plan, rows, labels, first weights; and what two differ in."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch

from warmstart.base.lines import to_line
from warmstart.base.tables import to_table
from warmstart.models.anatomy import Anatomy
from warmstart.models.inputs import bytes_of, digest
from warmstart.tune.job import Job

FORMAT = 4  # of what is saved; another one is not taken up
BEYOND_PLAN = ("format", "model", "train", "validation")  # what no weights outlive a change of
WORDS = {
    "train": "the training rows or their labels are others",
    "validation": "the validation rows or their labels are others",
    "model": "the model is another one: its weights before the first step differ",
    "format": "another version of warmstart wrote it",
    "retained": "what should be remembered is of another model, or other rows",
}


@dataclass(frozen=True)
class Identity:
    """What decides the bits of a training: the training itself, and the machine that it runs on."""

    training: dict[str, Any]
    machine: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        return digest(to_line(self.training))


def identity_of(job: Job) -> Identity:
    """All of the plan but its reasons counts, and so do rows, labels and weights before the first step."""
    plan = {k: v for k, v in to_table(job.plan).items() if k != "reasons"}
    rows = {name: digest(s.inputs.key.encode(), bytes_of(s.targets)) for name, s in job.splits.items()}
    if job.retained is not None:
        split = job.retained.split
        parts: list[bytes | memoryview] = (
            [] if split is None else [split.inputs.key.encode(), bytes_of(split.targets)]
        )
        rows["retained"] = digest(weights_key(job.retained.source).encode(), *parts)
    return Identity({"format": FORMAT, "plan": plan, "model": weights_key(job.anatomy), **rows}, machine(job))


def weights_key(anatomy: Anatomy) -> str:
    """A hash of every tensor of the model."""

    def parts() -> Iterator[bytes | memoryview]:
        for name, tensor in anatomy.model.state_dict().items():
            yield f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode()
            yield bytes_of(tensor)

    return digest(*parts())


def machine(job: Job) -> dict[str, Any]:
    """What the last bits depend on beside the training."""
    return {
        "processes": job.crew.size,
        "threads": torch.get_num_threads(),
        "device": job.device.type,
        "processor": platform.machine(),
        "torch": torch.__version__,
        "transformers": version("transformers"),
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What changed between two trainings, in words: settings of the plan with both values."""
    said = [WORDS[name] for name in (*BEYOND_PLAN, "retained") if before.get(name) != after.get(name)]
    old, new = (dict(flat(table.get("plan"), "")) for table in (before, after))
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            said.append(f"{name}: {shown(old, name)} -> {shown(new, name)}")
    return said


def flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Dotted names of single values: phases.0.lr."""
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if nested(value) else None
    if pairs is None:
        yield name, value
        return
    for key, inner in pairs:
        yield from flat(inner, f"{name}.{key}" if name else str(key))


def nested(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value)


def shown(table: Mapping[str, Any], name: str) -> str:
    return str(table[name]) if name in table else "nothing"
