"""Which files of a model folder hold its weights, and what their headers say, without opening a tensor."""

from __future__ import annotations

import json
import struct
from math import prod
from pathlib import Path

from warmstart.base.errors import WarmstartError

PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")  # statistics of norms, which nobody trains
ANEW = "take the model anew"


def safetensors_of(folder: Path) -> list[Path]:
    """model.safetensors, or the parts that its index names, or whatever there is; empty if nothing."""
    whole, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if whole.is_file():
        return [whole]
    if not index.is_file():
        return sorted(folder.glob("*.safetensors"))
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        parts = [folder / name for name in names]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise WarmstartError(f"{index}: not an index of weights", ANEW, "bad-weights") from None
    for name, path in zip(names, parts, strict=True):
        if Path(name).name != name or not path.is_file():
            raise WarmstartError(f"{index}: names {name!r}, which is not in this folder", ANEW, "bad-weights")
    return parts


def pickles_of(folder: Path) -> list[Path]:
    return sorted(path for pattern in PICKLES for path in folder.glob(pattern))


def check_weights(folder: Path, source: str, allow_pickle: bool) -> None:
    """Refuse a folder without weights; weights in a pickle, which can run code, need to be asked for."""
    if safetensors_of(folder):
        return
    pickles = pickles_of(folder)
    if not pickles:
        raise WarmstartError(
            f"{source}: no model.safetensors in this folder",
            "give a folder written by save_pretrained",
            "no-weights",
        )
    if not allow_pickle:
        raise WarmstartError(
            f"{source}: the weights are a pickle ({pickles[0].name}), which can run code when it is opened",
            "take a version in safetensors, or, if you trust it, pass --allow-pickle",
            "pickle",
        )


def size(folder: Path) -> int:
    """Bytes of the files that hold the weights."""
    return sum(path.stat().st_size for path in safetensors_of(folder) or pickles_of(folder))


def count_parameters(folder: Path) -> int:
    """Parameters in the safetensors files, read from their headers; 0 if there is none.

    Statistics and counters of norms are buffers, not parameters, and do not count.
    """
    return sum(
        prod(shape)
        for path in safetensors_of(folder)
        for name, shape in shapes_in(path).items()
        if not name.endswith(BUFFERS)
    )


def numbers_in_files(folder: Path) -> int:
    """At most so many numbers lie in the files of weights; 0 where there are none."""
    files = safetensors_of(folder)
    if not files:
        return sum(path.stat().st_size for path in pickles_of(folder)) // 2  # two bytes each at least
    return sum(prod(shape) for path in files for shape in shapes_in(path).values())


def shapes_in(path: Path) -> dict[str, list[int]]:
    """Tensor name -> shape, from the header of a safetensors file whose length must fit its tensors."""
    try:
        with path.open("rb") as file:
            size = struct.unpack("<Q", file.read(8))[0]
            header = json.loads(file.read(min(size, 100_000_000)))
        header.pop("__metadata__", None)
        shapes = {name: [int(n) for n in entry["shape"]] for name, entry in header.items()}
        end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
        whole = path.stat().st_size == 8 + size + end and all(n >= 0 for s in shapes.values() for n in s)
    except (
        OSError,
        struct.error,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        RecursionError,
    ):
        raise WarmstartError(f"{path}: not a safetensors file", ANEW, "bad-weights") from None
    if not whole:
        raise WarmstartError(f"{path}: cut short, or its header is wrong", ANEW, "bad-weights")
    return shapes
