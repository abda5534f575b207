"""Writes what is missing of the prepared data.

python -m benchmarks.work PLACE texts:4000:400 networks:bert-4x256:0
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.work.chats import write_chats
from benchmarks.work.photos import write_photos
from benchmarks.work.texts import write_texts


def whole(folder: Path, write: Callable[[Path], None]) -> None:
    """A folder that is there entirely or not at all."""
    if folder.is_dir():
        return
    draft = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    write(draft)
    draft.rename(folder)


def prepare(place: Path, wanted: str) -> None:
    kind, one, two = wanted.split(":")
    if kind == "networks":
        from benchmarks.work.networks import write_network

        whole(place / f"{one}-{two}", lambda folder: write_network(folder, one, int(two)))
        return
    write = {"texts": write_texts, "photos": write_photos, "chats": write_chats}[kind]
    sizes = {"train": int(one), "validation": int(two), "test": int(two)}
    whole(place / f"{kind}-{one}-{two}", lambda folder: write(folder, sizes))


if __name__ == "__main__":
    for each in sys.argv[2:]:
        prepare(Path(sys.argv[1]), each)
