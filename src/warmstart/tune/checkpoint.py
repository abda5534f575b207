"""Where a training stands, on disk: written whole or not at all, checked when read, newest intact first.

A folder a checkpoint: weights, optimiser and guards as safetensors, numbers as JSON, and a manifest with a
hash of each file and what the training is. The newest two are kept. Each is complete in itself, and holds
the best weights so far as what the guard early_stop keeps: no single damage takes the best or the last.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from warmstart.base.lines import from_line, to_line
from warmstart.models.whole import hash_of, whole_folder
from warmstart.tune.identity import Identity

KEPT = 2
NAME = re.compile(r"checkpoint-(\d{6,})", re.ASCII)
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """Numbers and named sets of tensors, and the training that they belong to."""

    numbers: dict[str, Any]
    tensors: dict[str, dict[str, Tensor]]  # "weights", "optimiser", "guard.0", ...
    identity: Identity
    name: str


@dataclass(frozen=True)
class Looked:
    """What was found in a folder of checkpoints."""

    own: Checkpoint | None  # the newest intact one of this training
    other: Checkpoint | None  # where there is none: the newest intact one of another training
    passed: list[str]  # why newer ones were passed over


def save(folder: Path, identity: Identity, numbers: dict[str, Any], tensors: Mapping[str, Tensors]) -> None:
    """Add a checkpoint to `folder` and delete all but the newest two. OSError and the like if it cannot."""
    number = 1 + max((order(p) for p in found(folder)), default=0)
    with whole_folder(folder / f"checkpoint-{number:06d}") as draft:
        for name, table in tensors.items():
            save_file(dict(table), draft / f"{name}.safetensors")
        (draft / "numbers.json").write_text(json.dumps(numbers, allow_nan=False), encoding="utf-8")
        hashes = {path.name: hash_of(path) for path in sorted(draft.iterdir())}
        manifest = {"training": identity.training, "machine": identity.machine, "files": hashes}
        (draft / "manifest.json").write_bytes(to_line(manifest))
    for old in found(folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def look(folder: Path, identity: Identity) -> Looked:
    """The newest intact checkpoint of this training; damaged ones are deleted, so that they never count."""
    passed: list[str] = []
    other: Path | None = None
    try:
        paths = found(folder)
    except OSError as error:
        return Looked(None, None, [f"{folder} cannot be looked into ({error.strerror})"])
    for path in reversed(paths):
        try:
            kept = verified(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            passed.append(
                f"{path.name}: {error}" if isinstance(error, Damaged) else f"{path.name} cannot be read"
            )
            shutil.rmtree(path, ignore_errors=True)
            continue
        if kept.fingerprint == identity.fingerprint:
            return Looked(read(path), None, passed)
        passed.append(f"{path.name}: belongs to another plan, other data or another model")
        other = other or path
    return Looked(None, None if other is None else read(other), passed)


class Damaged(ValueError):
    """A file is not what was written."""


def verified(path: Path) -> Identity:
    """What a checkpoint belongs to whose files are what its manifest says; Damaged and the like if not."""
    manifest = manifest_of(path)
    for name, expected in manifest["files"].items():
        if hash_of(path / name) != expected:
            raise Damaged(f"{name} is damaged")
    if "numbers.json" not in manifest["files"]:
        raise Damaged("its manifest is not whole")
    return Identity(manifest["training"], manifest["machine"])


def manifest_of(path: Path) -> dict[str, Any]:
    manifest = from_line((path / "manifest.json").read_bytes())
    if manifest is None:
        raise Damaged("its manifest is damaged")
    return manifest


def read(path: Path) -> Checkpoint:
    """A checkpoint that was verified; only files that its manifest names are read."""
    manifest = manifest_of(path)
    numbers = json.loads((path / "numbers.json").read_text(encoding="utf-8"))
    tables = [path / name for name in manifest["files"] if name.endswith(".safetensors")]
    tensors = {table.stem: load_file(table) for table in tables}
    return Checkpoint(numbers, tensors, Identity(manifest["training"], manifest["machine"]), path.name)


def found(folder: Path) -> list[Path]:
    """Checkpoints, oldest first."""
    return sorted((p for p in folder.glob("checkpoint-*") if NAME.fullmatch(p.name)), key=order)


def order(path: Path) -> int:
    return int(path.name.rsplit("-", 1)[1])
