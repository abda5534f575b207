"""Where a training stands, on disk: written whole or not at all, checked when read, newest intact first.

A folder a checkpoint: weights, optimiser and guards as safetensors, numbers as JSON, and a manifest with a
hash of each file, which is written last.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

KEPT = 2
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """Numbers and named sets of tensors."""

    numbers: dict[str, Any]
    tensors: dict[str, dict[str, Tensor]]  # "weights", "optimiser", "guard.0", ...


def save(folder: Path, fingerprint: str, numbers: dict[str, Any], tensors: Mapping[str, Tensors]) -> None:
    """Add a checkpoint to `folder` and delete all but the newest two."""
    number = 1 + max((order(p) for p in found(folder)), default=0)
    draft = folder / f".draft-{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, table in tensors.items():
        flat = {k: v.detach().cpu().contiguous() for k, v in table.items()}
        save_file(flat, draft / f"{name}.safetensors")
    (draft / "numbers.json").write_text(json.dumps(numbers), encoding="utf-8")
    hashes = {p.name: sha256(p.read_bytes()).hexdigest() for p in sorted(draft.iterdir())}
    manifest = json.dumps({"fingerprint": fingerprint, "files": hashes})
    (draft / "manifest.json").write_text(manifest, encoding="utf-8")
    for path in draft.iterdir():
        sync(path)
    sync(draft)
    draft.rename(folder / f"checkpoint-{number:06d}")
    sync(folder)
    for old in found(folder)[:-KEPT]:
        shutil.rmtree(old)


def newest(folder: Path, fingerprint: str) -> tuple[Checkpoint | None, list[str]]:
    """The newest intact checkpoint of this training, and why newer ones were passed over."""
    passed: list[str] = []
    for path in reversed(found(folder)):
        trouble = damage(path, fingerprint)
        if not trouble:
            return read(path), passed
        passed.append(f"{path.name}: {trouble}")
    return None, passed


def damage(path: Path, fingerprint: str) -> str:
    """What is wrong with a checkpoint; empty if nothing is."""
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        if manifest["fingerprint"] != fingerprint:
            return "belongs to another plan or other data"
        for name, expected in manifest["files"].items():
            if sha256((path / name).read_bytes()).hexdigest() != expected:
                return f"{name} is damaged"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"cannot be read ({type(error).__name__})"
    return ""


def read(path: Path) -> Checkpoint:
    numbers = json.loads((path / "numbers.json").read_text(encoding="utf-8"))
    tensors = {p.stem: load_file(p) for p in sorted(path.glob("*.safetensors"))}
    return Checkpoint(numbers, tensors)


def found(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*"), key=order)


def order(path: Path) -> int:
    return int(path.name.rsplit("-", 1)[1])


def sync(path: Path) -> None:
    """Have the system write what it holds back; without it a power cut can lose what a rename has shown."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
