"""Frozen layers are a constant function of the input: run once, kept on disk, read by every later stage.

`keep_prefix` gives inputs that stand before a group; `pooled_features` the features after every group, which
selection scores. Both are keyed by a hash of weights and inputs, so that nothing stale is ever read.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor

from warmstart.base.files import read_json, write_json
from warmstart.models.anatomy import Anatomy, State, pooled
from warmstart.models.inputs import Inputs, KeptInputs, digest, offsets_of

BATCH = 64  # rows at a time; part of the key, since padding changes the last bits


def device_of(anatomy: Anatomy) -> torch.device:
    return next(anatomy.model.parameters()).device


def to_device(state: State, device: torch.device) -> State:
    return {k: v.to(device) for k, v in state.items()} if device.type != "cpu" else state


@torch.inference_mode()
def pooled_features(
    anatomy: Anatomy, inputs: Inputs, folder: Path | None = None
) -> dict[str, NDArray[np.float32]]:
    """Group name -> N x D features after it (mean over tokens or map; what the head reads at the top).

    Kept in `folder` where one is given, and read from there the next time.
    """
    key = prefix_key(anatomy, len(anatomy.groups) - 1, inputs, "pooled")
    if folder is not None and (folder / key / "done.json").is_file():
        return read_arrays(folder / key)
    anatomy.model.eval()
    names = anatomy.names[:-1]
    rows: dict[str, list[Tensor]] = {name: [] for name in names}
    order = []
    for numbers in inputs.in_order(BATCH):
        state = to_device(inputs.batch(numbers), device_of(anatomy))
        for i, name in enumerate(names):
            state = anatomy.run(state, i, i + 1)
            rows[name].append(pooled(state).float().cpu())
        order.append(numbers)
    back = np.argsort(np.concatenate(order))
    features = {name: torch.cat(parts).numpy()[back] for name, parts in rows.items() if parts}
    if folder is not None:
        write_arrays(folder / key, features)
    return features


def keep_prefix(anatomy: Anatomy, inputs: Inputs, stop: int, folder: Path, limit: int) -> Inputs | None:
    """Inputs that stand before group `stop`; None where keeping them would take more than `limit` bytes."""
    key = prefix_key(anatomy, stop, inputs, "prefix")
    if not (folder / key / "done.json").is_file():
        anatomy.model.eval()
        longest = run_prefix(anatomy, inputs, np.argsort(inputs.lengths)[-1:], stop)
        length = int(inputs.lengths.max())
        ragged = {k for k, v in longest.items() if is_ragged(v, length)}
        if size_of(longest, ragged, inputs) > limit:
            return None
        fill(anatomy, inputs, stop, ragged, folder / key)
    facts = read_json(folder / key / "done.json")
    return KeptInputs(folder / key, frozenset(facts["ragged"]), inputs.lengths, key)


@torch.inference_mode()
def run_prefix(anatomy: Anatomy, inputs: Inputs, numbers: NDArray[np.int64], stop: int) -> State:
    state = anatomy.run(to_device(inputs.batch(numbers), device_of(anatomy)), 0, stop)
    return {k: v.cpu() for k, v in state.items() if not k.startswith("_")}


def is_ragged(value: Tensor, length: int) -> bool:
    """Does the second dimension run over tokens? Pictures have length 1 and no such dimension."""
    return length > 1 and value.dim() >= 2 and value.shape[1] == length


def size_of(longest: State, ragged: set[str], inputs: Inputs) -> int:
    """Bytes that the states of all rows would take, from the longest row's."""
    tokens = int(inputs.lengths.sum()) / int(inputs.lengths.max())
    return sum(int(v.nbytes * (tokens if k in ragged else len(inputs))) for k, v in longest.items())


def fill(anatomy: Anatomy, inputs: Inputs, stop: int, ragged: set[str], folder: Path) -> None:
    """Run the prefix over all rows and write what stands after it, whole or not at all."""
    offsets = offsets_of(inputs.lengths)
    with whole_folder(folder, {"ragged": sorted(ragged)}) as draft:
        arrays: dict[str, NDArray[np.generic]] = {}
        for numbers in inputs.in_order(BATCH):
            for name, value in run_prefix(anatomy, inputs, numbers, stop).items():
                rows = value.numpy()
                if name not in arrays:
                    count = int(offsets[-1]) if name in ragged else len(inputs)
                    shape = (count, *rows.shape[2 if name in ragged else 1 :])
                    arrays[name] = open_memmap(draft / f"{name}.npy", "w+", rows.dtype, shape)
                for i, number in enumerate(numbers):
                    if name in ragged:
                        arrays[name][offsets[number] : offsets[number + 1]] = rows[
                            i, : inputs.lengths[number]
                        ]
                    else:
                        arrays[name][number] = rows[i]


@contextmanager
def whole_folder(folder: Path, facts: dict[str, list[str]]) -> Iterator[Path]:
    """A folder that appears under its name only when all of it is written."""
    draft = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
        write_json(draft / "done.json", facts)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_arrays(folder: Path, arrays: dict[str, NDArray[np.float32]]) -> None:
    with whole_folder(folder, {"names": list(arrays)}) as draft:
        for name, array in arrays.items():
            np.save(draft / f"{name}.npy", array)


def read_arrays(folder: Path) -> dict[str, NDArray[np.float32]]:
    return {name: np.load(folder / f"{name}.npy") for name in read_json(folder / "done.json")["names"]}


def prefix_key(anatomy: Anatomy, stop: int, inputs: Inputs, what: str) -> str:
    """A hash of the weights below group `stop`, of the inputs and of how they are run."""
    kind = f"{what}/{type(anatomy.model).__name__}/{stop}/{BATCH}/{torch.get_num_threads()}"
    parts = [
        kind.encode(),
        inputs.key.encode(),
        settings_of(anatomy),
    ]
    return digest(*parts, *tensors_below(anatomy, stop))


def tensors_below(anatomy: Anatomy, stop: int) -> Iterable[bytes]:
    for group in anatomy.groups[:stop]:
        for module in group.modules:
            for _, tensor in sorted(module.state_dict().items()):
                yield tensor.detach().cpu().contiguous().numpy().tobytes()


def settings_of(anatomy: Anatomy) -> bytes:
    config: Any = anatomy.model.config
    return str(config.to_json_string(use_diff=False)).encode()


def logits_of(anatomy: Anatomy, inputs: Inputs, start: int = 0) -> Tensor:
    """N x C scores of all rows in eval mode; `inputs` stand before group `start`."""
    return gather(anatomy, inputs, start, len(anatomy.groups), "logits")


def before_head(anatomy: Anatomy, inputs: Inputs, start: int = 0) -> Tensor:
    """N x D features that the head reads, in eval mode; `inputs` stand before group `start`."""
    return gather(anatomy, inputs, start, len(anatomy.groups) - 1, "pooled")


@torch.inference_mode()
def gather(anatomy: Anatomy, inputs: Inputs, start: int, stop: int, name: str) -> Tensor:
    """One tensor of the state before group `stop`, of all rows in their order."""
    anatomy.model.eval()
    parts, order = [], []
    for numbers in inputs.in_order(BATCH):
        state = to_device(inputs.batch(numbers), device_of(anatomy))
        parts.append(anatomy.run(state, start, stop)[name].float().cpu())
        order.append(numbers)
    return torch.cat(parts)[torch.from_numpy(np.argsort(np.concatenate(order)))]
