"""One training as both sides are asked for it: the same rows, weights, rate, batches and epochs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Work:
    """A training. Nothing in it names a library; every script reads it from a file."""

    kind: str  # "text", "image" or "chat"
    network: str  # a folder of transformers, with the head that both sides begin with
    data: str  # the folder with train, validation and test
    epochs: int
    lr: float  # falls linearly to 0, without a warm-up
    batch: int = 32
    learn: tuple[str, ...] = ("*",)  # groups of layers, from input to head
    frozen: tuple[str, ...] = ()  # parameters of all other groups
    norms: bool = True  # do norm statistics of the layers that learn follow the batches?
    seed: int = 0
    threads: int = 1
    device: str = "cpu"  # or "cuda": the one graphics processor that a contender sees
    candidates: int = 1  # networks of this shape that lie beside it, to be ranked by the whole street
    scratch: str = ""  # a fresh folder for whatever a run keeps

    def write(self, path: Path) -> Path:
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        return path


def read_work(path: str | Path) -> Work:
    table = json.loads(Path(path).read_text(encoding="utf-8"))
    return Work(**{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()})
