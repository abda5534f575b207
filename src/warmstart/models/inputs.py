"""Rows as a model reads them: tokenised or decoded once, padded only as far as a batch needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from warmstart.models.anatomy import State
from warmstart.models.rows import LAYOUT, Layout, with_layout

Numbers = Sequence[int] | NDArray[np.int64]
HALF = ".bfloat16.npy"  # ending of a file of bfloat16 numbers
PICTURES = 16  # at most so many at a time: maps of more leave the processor's cache between two layers


class Inputs(ABC):
    """Rows that can be asked for by number; `lengths` are tokens a row (1 for pictures)."""

    few: ClassVar[int] = 16  # rows that tell how long a step takes
    lengths: NDArray[np.int64]
    key: str  # a hash of the content: equal keys, equal inputs

    def __len__(self) -> int:
        return len(self.lengths)

    @abstractmethod
    def batch(self, numbers: Numbers) -> State:
        """The state of these rows, in this order, ready for the first group that still has to run."""

    def packed(self, numbers: Numbers) -> State:
        """The same rows laid end to end, without padding, where they have tokens."""
        return self.batch(numbers)

    def on(self, device: torch.device, numbers: Numbers, end_to_end: bool) -> State:
        """The state of these rows on a device, laid end to end where that is asked for."""
        return sent(self.packed(numbers) if end_to_end else self.batch(numbers), device)

    def expect(self, batches: Sequence[NDArray[np.int64]]) -> None:  # noqa: B027  most have nothing to prepare
        """These will be asked for next, each as it stands here."""

    def in_order(self, size: int) -> Iterator[NDArray[np.int64]]:
        """Numbers of all rows in batches of like length, always the same."""
        order = np.argsort(self.lengths, kind="stable")
        for i in range(0, len(order), size):
            yield order[i : i + size]


class Some(Inputs):
    """Some rows of other inputs."""

    def __init__(self, whole: Inputs, places: Numbers) -> None:
        self.whole, self.places = whole, np.asarray(places)
        self.lengths = whole.lengths[self.places]
        self.key = digest(whole.key.encode(), self.places.tobytes())

    def batch(self, numbers: Numbers) -> State:
        return self.whole.batch(self.places[np.asarray(numbers)])

    def packed(self, numbers: Numbers) -> State:
        return self.whole.packed(self.places[np.asarray(numbers)])

    def on(self, device: torch.device, numbers: Numbers, end_to_end: bool) -> State:
        return self.whole.on(device, self.places[np.asarray(numbers)], end_to_end)


@dataclass(frozen=True)
class Ragged:
    """Arrays of different lengths laid end to end: row i is flat[offsets[i] : offsets[i + 1]]."""

    flat: NDArray[Any]
    offsets: NDArray[np.int64]

    def padded(self, numbers: Numbers, filling: float = 0) -> Tensor:
        """B x L (x ...) tensor, padded on the right with `filling` to the longest row."""
        rows = [np.asarray(self.flat[self.offsets[i] : self.offsets[i + 1]]) for i in numbers]
        longest = max(map(len, rows))
        out = np.full((len(rows), longest, *self.flat.shape[1:]), filling, dtype=self.flat.dtype)
        for i, row in enumerate(rows):
            out[i, : len(row)] = row
        return torch.from_numpy(out)

    def joined(self, numbers: Numbers, size: int, filling: float = 0) -> Tensor:
        """size (x ...) tensor: these rows, one behind the other, then `filling`."""
        out = np.full((size, *self.flat.shape[1:]), filling, dtype=self.flat.dtype)
        place = 0
        for i in numbers:
            row = self.flat[self.offsets[i] : self.offsets[i + 1]]
            out[place : place + len(row)] = row
            place += len(row)
        return torch.from_numpy(out)

    @staticmethod
    def of(rows: Sequence[Sequence[int]]) -> Ragged:
        flat = np.fromiter((t for row in rows for t in row), np.int64)
        return Ragged(flat, offsets_of([len(row) for row in rows]))


def offsets_of(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, np.int64))]).astype(np.int64)


def mask_of(lengths: NDArray[np.int64]) -> Tensor:
    """B x L attention mask of rows padded on the right."""
    return torch.from_numpy((np.arange(lengths.max())[None] < lengths[:, None]).astype(np.int64))


class TextInputs(Inputs):
    """Token ids, and token types where the model reads them."""

    def __init__(self, ids: Ragged, padding: int, types: Ragged | None = None) -> None:
        self.ids, self.padding, self.types = ids, padding, types
        self.lengths = np.diff(ids.offsets)
        kinds = [] if types is None else [array_bytes(types.flat)]
        self.key = digest(f"text {padding}".encode(), array_bytes(ids.flat), array_bytes(ids.offsets), *kinds)

    def batch(self, numbers: Numbers) -> State:
        lengths = self.lengths[np.asarray(numbers)]
        state = {"input_ids": self.ids.padded(numbers, self.padding), "attention_mask": mask_of(lengths)}
        if self.types is not None:
            state["token_type_ids"] = self.types.padded(numbers)
        return state

    def packed(self, numbers: Numbers) -> State:
        layout = Layout(self.lengths[np.asarray(numbers)])
        state: State = {"input_ids": self.ids.joined(numbers, layout.size, self.padding)[None]}
        if self.types is not None:
            state["token_type_ids"] = self.types.joined(numbers, layout.size)[None]
        return with_layout(state, layout)


class ImageInputs(Inputs):
    """Pictures as the processor leaves them, kept as bytes and scaled when they are asked for."""

    few = 4  # each is as dear as a long text

    def __init__(
        self,
        pixels: NDArray[np.generic],
        scale: NDArray[np.float32],
        shift: NDArray[np.float32],
        lease: object = None,
    ) -> None:
        self.lease = lease  # while it is held nobody takes pixels away that lie on disk
        self.pixels = pixels  # N x 3 x H x W, uint8, or float32 that is already scaled; may lie on disk
        self.scale, self.shift = torch.from_numpy(scale), torch.from_numpy(shift)
        self.lengths = np.ones(len(pixels), np.int64)
        kind = f"images {pixels.dtype} {pixels.shape} {PICTURES}".encode()
        self.key = digest(kind, array_bytes(pixels), array_bytes(scale), array_bytes(shift))

    def batch(self, numbers: Numbers) -> State:
        return self.on(torch.device("cpu"), numbers, False)

    def on(self, device: torch.device, numbers: Numbers, end_to_end: bool) -> State:
        """Bytes travel to the device and become numbers there."""
        raw = sent({"pixel_values": torch.from_numpy(self.pixels[np.asarray(numbers)])}, device)[
            "pixel_values"
        ]
        if raw.dtype != torch.uint8:
            return {"pixel_values": raw}
        scale, shift = (x.to(device)[:, None, None] for x in (self.scale, self.shift))
        return {"pixel_values": raw.float() * scale + shift}

    def in_order(self, size: int) -> Iterator[NDArray[np.int64]]:
        return super().in_order(min(size, PICTURES))


class KeptInputs(Inputs):
    """Activations of a frozen prefix, kept on disk; they stand before the first group that learns."""

    def __init__(
        self, folder: Path, ragged: frozenset[str], lengths: NDArray[np.int64], key: str, lease: object = None
    ) -> None:
        self.lengths, self.key = lengths, key
        self.lease = lease  # while it is held nobody takes the files away
        paths = {p.name.split(".")[0]: p for p in sorted(folder.glob("*.npy"))}
        arrays = {name: np.load(path, mmap_mode="r") for name, path in paths.items()}
        offsets = offsets_of(lengths)
        self.halves = {name for name, path in paths.items() if path.name.endswith(HALF)}
        self.even = {name: array for name, array in arrays.items() if name not in ragged}
        self.ragged = {name: Ragged(arrays[name], offsets) for name in ragged}

    def batch(self, numbers: Numbers) -> State:
        chosen = np.asarray(numbers)
        state: State = {name: torch.from_numpy(array[chosen]) for name, array in self.even.items()}
        return self.typed(state | {name: rows.padded(numbers) for name, rows in self.ragged.items()})

    def typed(self, state: State) -> State:
        """numpy knows no bfloat16: such numbers lie on disk as whole ones of 16 bits."""
        return {k: v.view(torch.bfloat16) if k in self.halves else v for k, v in state.items()}

    def packed(self, numbers: Numbers) -> State:
        if not self.ragged:
            return self.batch(numbers)
        layout = Layout(self.lengths[np.asarray(numbers)])
        state: State = {name: rows.joined(numbers, layout.size)[None] for name, rows in self.ragged.items()}
        return with_layout(self.typed(state), layout)


def sent(state: State, device: torch.device) -> State:
    """A state on a device. Where that is another one, it goes there while the processor goes on."""
    if device.type == "cpu":
        return state
    return {
        k: v.to(device) if k == LAYOUT else v.pin_memory().to(device, non_blocking=True)
        for k, v in state.items()
    }


def as_numpy(tensor: Tensor) -> tuple[str, NDArray[Any]]:
    """The ending of the file that keeps it, and its numbers as numpy knows them."""
    if tensor.dtype == torch.bfloat16:
        return HALF, tensor.view(torch.int16).numpy()
    return ".npy", tensor.numpy()


def array_bytes(array: NDArray[np.generic]) -> memoryview:
    """The bytes of an array, not copied where they lie in order."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def bytes_of(tensor: Tensor) -> memoryview:
    """The bytes of a tensor, not copied where they lie in order on the processor."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return array_bytes(flat.view(torch.uint8).numpy())


def digest(*parts: bytes | memoryview) -> str:
    """A short hash of bytes."""
    total = sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()[:24]
