"""Rows as a model reads them: tokenised or decoded once, padded only as far as a batch needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from warmstart.models.anatomy import State

Numbers = Sequence[int] | NDArray[np.int64]


class Inputs(ABC):
    """Rows that can be asked for by number; `lengths` are tokens a row (1 for pictures)."""

    lengths: NDArray[np.int64]
    key: str  # a hash of the content: equal keys, equal inputs

    def __len__(self) -> int:
        return len(self.lengths)

    @abstractmethod
    def batch(self, numbers: Numbers) -> State:
        """The state of these rows, in this order, ready for the first group that still has to run."""

    def in_order(self, size: int) -> Iterator[NDArray[np.int64]]:
        """Numbers of all rows in batches of like length, always the same."""
        order = np.argsort(self.lengths, kind="stable")
        for i in range(0, len(order), size):
            yield order[i : i + size]


@dataclass(frozen=True)
class Ragged:
    """Arrays of different lengths laid end to end: row i is flat[offsets[i] : offsets[i + 1]]."""

    flat: NDArray[np.generic]
    offsets: NDArray[np.int64]

    def padded(self, numbers: Numbers, filling: float = 0) -> Tensor:
        """B x L (x ...) tensor, padded on the right with `filling` to the longest row."""
        rows = [self.flat[self.offsets[i] : self.offsets[i + 1]] for i in numbers]
        longest = max(map(len, rows))
        out = np.full((len(rows), longest, *self.flat.shape[1:]), filling, dtype=self.flat.dtype)
        for i, row in enumerate(rows):
            out[i, : len(row)] = row
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
        parts = [ids.flat.tobytes(), ids.offsets.tobytes(), b"" if types is None else types.flat.tobytes()]
        self.key = digest(*parts)

    def batch(self, numbers: Numbers) -> State:
        lengths = self.lengths[np.asarray(numbers)]
        state = {"input_ids": self.ids.padded(numbers, self.padding), "attention_mask": mask_of(lengths)}
        if self.types is not None:
            state["token_type_ids"] = self.types.padded(numbers)
        return state


class ImageInputs(Inputs):
    """Pictures as the processor leaves them, kept as bytes and scaled when they are asked for."""

    def __init__(
        self, pixels: NDArray[np.generic], scale: NDArray[np.float32], shift: NDArray[np.float32]
    ) -> None:
        self.pixels = pixels  # N x 3 x H x W, uint8, or float32 that is already scaled
        self.scale, self.shift = torch.from_numpy(scale), torch.from_numpy(shift)
        self.lengths = np.ones(len(pixels), np.int64)
        self.key = digest(np.ascontiguousarray(pixels).tobytes(), scale.tobytes(), shift.tobytes())

    def batch(self, numbers: Numbers) -> State:
        raw = torch.from_numpy(np.stack([self.pixels[i] for i in numbers]))
        if raw.dtype != torch.uint8:
            return {"pixel_values": raw}
        return {"pixel_values": raw.float() * self.scale[:, None, None] + self.shift[:, None, None]}


class KeptInputs(Inputs):
    """Activations of a frozen prefix, kept on disk; they stand before the first group that learns."""

    def __init__(self, folder: Path, ragged: frozenset[str], lengths: NDArray[np.int64], key: str) -> None:
        self.ragged, self.lengths, self.key = ragged, lengths, key
        self.offsets = offsets_of(lengths)
        self.arrays = {
            p.stem: np.load(p, mmap_mode="r") for p in sorted(folder.glob("*.npy")) if p.stem != "lengths"
        }

    def batch(self, numbers: Numbers) -> State:
        state: State = {}
        for name, array in self.arrays.items():
            if name in self.ragged:
                state[name] = Ragged(array, self.offsets).padded(numbers)
            else:
                state[name] = torch.from_numpy(np.stack([array[i] for i in numbers]))
        return state


def digest(*parts: bytes) -> str:
    """A short hash of bytes."""
    total = sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()[:24]
