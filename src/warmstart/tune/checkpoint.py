"""Where a training stands, on disk: written whole or not at all, checked when read, newest intact first.

A folder a checkpoint: weights, optimiser and guards as safetensors, numbers as JSON, and a manifest with a
hash of each file.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from warmstart.models.whole import whole_folder

KEPT = 2
NAME = re.compile(r"checkpoint-(\d{6,})", re.ASCII)
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """Numbers and named sets of tensors."""

    numbers: dict[str, Any]
    tensors: dict[str, dict[str, Tensor]]  # "weights", "optimiser", "guard.0", ...


def save(folder: Path, fingerprint: str, numbers: dict[str, Any], tensors: Mapping[str, Tensors]) -> None:
    """Add a checkpoint to `folder` and delete all but the newest two. OSError and the like if it cannot."""
    number = 1 + max((order(p) for p in found(folder)), default=0)
    with whole_folder(folder / f"checkpoint-{number:06d}") as draft:
        for name, table in tensors.items():
            flat = {k: v.detach().cpu().contiguous() for k, v in table.items()}
            save_file(flat, draft / f"{name}.safetensors")
        (draft / "numbers.json").write_text(json.dumps(numbers), encoding="utf-8")
        hashes = {path.name: hash_of(path) for path in sorted(draft.iterdir())}
        manifest = json.dumps({"fingerprint": fingerprint, "files": hashes})
        (draft / "manifest.json").write_text(manifest, encoding="utf-8")
    for old in found(folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def newest(folder: Path, fingerprint: str) -> tuple[Checkpoint | None, list[str]]:
    """The newest intact checkpoint of this training, and why newer ones were passed over.

    Damaged ones are deleted, so that they never count among the newest two.
    """
    passed: list[str] = []
    for path in reversed(found(folder)):
        try:
            manifest = verified(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            passed.append(
                f"{path.name}: {error}" if isinstance(error, Damaged) else f"{path.name} cannot be read"
            )
            shutil.rmtree(path, ignore_errors=True)
            continue
        if manifest["fingerprint"] == fingerprint:
            return read(path, manifest["files"]), passed
        passed.append(f"{path.name}: belongs to another plan, other data or another model")
    return None, passed


class Damaged(ValueError):
    """A file is not what was written."""


def verified(path: Path) -> dict[str, Any]:
    """The manifest of a checkpoint whose files all are what it says; Damaged and the like if not."""
    manifest: dict[str, Any] = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    for name, expected in manifest["files"].items():
        if hash_of(path / name) != expected:
            raise Damaged(f"{name} is damaged")
    if "numbers.json" not in manifest["files"] or not isinstance(manifest["fingerprint"], str):
        raise Damaged("its manifest is not whole")
    return manifest


def read(path: Path, files: Mapping[str, str]) -> Checkpoint:
    numbers = json.loads((path / "numbers.json").read_text(encoding="utf-8"))
    tables = [path / name for name in files if name.endswith(".safetensors")]
    return Checkpoint(numbers, {table.stem: load_file(table) for table in tables})


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def found(folder: Path) -> list[Path]:
    """Checkpoints, oldest first."""
    return sorted((p for p in folder.glob("checkpoint-*") if NAME.fullmatch(p.name)), key=order)


def order(path: Path) -> int:
    return int(path.name.rsplit("-", 1)[1])
