"""Rows laid end to end, without padding: where each begins, and how attention keeps them apart.

A batch of B rows with T tokens in all is one row of T tokens (and a short tail). Linear layers, norms and
activations touch real tokens only; attention alone has to know the rows. It takes them in buckets of like
length, so that little is padded even there. Any model whose layers look up their attention in transformers'
AttentionInterface runs so without being re-written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

STEP = 64  # tokens; libraries prepare a product anew for each size that they have not met
ROUND = 8  # tokens, for the same reason, of the rows of a bucket
TILE = 48  # tokens of the smallest tile
WASTE = 1.2  # a bucket may hold that many times its real tokens
HIDDEN = -1e30  # added to scores that count for nothing; infinity would make NaN of padding that sees none
LAYOUT = "_layout"  # key of a batch's Layout in its state


@dataclass(frozen=True)
class Sight:
    """Which tokens of its row a token looks at."""

    causal: bool = False  # only at itself and those before it?
    window: int | None = None  # only at those less than this away


EVERYWHERE = Sight()


@dataclass(frozen=True)
class Bucket:
    """Rows of like length, padded to the longest of them; or tiles, each of which several rows share."""

    rows: Tensor  # their numbers in the batch
    longest: int
    places: Tensor  # rows * longest numbers of tokens; where there is none, that of another
    real: Tensor | None  # rows x 1 x longest x 1: 1 for a token, 0 for padding; None if there is no padding
    owners: Tensor | None = None  # rows x longest: of tiles, the row that each token is of

    @cached_property
    def hidden(self) -> Tensor | None:
        """To be added to scores, rows x 1 x (1 or longest) x longest: HIDDEN for padding or another row."""
        if self.owners is not None:
            apart = self.owners[:, None, :, None] != self.owners[:, None, None]
            return apart.to(torch.float32).mul_(HIDDEN)
        return None if self.real is None else (1 - self.real).mul_(HIDDEN).transpose(2, 3)


@dataclass(frozen=True)
class Arranged:
    """All tokens of a batch in buckets."""

    buckets: tuple[Bucket, ...]
    back: Tensor  # T: where each token stands once all buckets are laid end to end; behind them for the tail

    @staticmethod
    def of(buckets: Sequence[Bucket], layout: Layout) -> Arranged:
        back, passed = np.empty(layout.size, np.int64), 0
        for bucket in buckets:
            places = bucket.places.cpu().numpy()
            real = np.arange(len(places))
            if bucket.real is not None:
                real = np.flatnonzero(bucket.real.cpu().numpy())
            back[places[real]] = passed + real
            passed += len(places)
        back[layout.real :] = passed
        return Arranged(tuple(buckets), put(back, layout.device))


@dataclass(frozen=True)
class Layout:
    """Lengths of the rows of a batch, in their order."""

    lengths: NDArray[np.int64]
    device: torch.device = torch.device("cpu")

    def to(self, device: torch.device) -> Layout:
        return self if device == self.device else Layout(self.lengths, device)

    @cached_property
    def real(self) -> int:
        """Tokens of all rows."""
        return int(self.lengths.sum())

    @cached_property
    def size(self) -> int:
        """T: tokens with a tail that belongs to no row, so that few sizes of products come up."""
        return -(-self.real // STEP) * STEP

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """The number of the first token of each row."""
        return np.cumsum(self.lengths) - self.lengths

    @cached_property
    def starts(self) -> Tensor:
        return put(self.first, self.device)

    @cached_property
    def positions(self) -> Tensor:
        """T: the place of each token in its row, from 0; 0 in the tail."""
        places = np.zeros(self.size, np.int64)
        places[: self.real] = np.arange(self.real) - np.repeat(self.first, self.lengths)
        return put(places, self.device)

    @cached_property
    def bounds(self) -> Tensor:
        """Where each row begins and where the last one ends; the tail is one more row."""
        return put(np.concatenate([self.first, [self.real, self.size]]).astype(np.int32), self.device)

    @cached_property
    def heads(self) -> Tensor:
        """The same of rows of one token each, of which the tail has one as well."""
        return torch.arange(len(self.lengths) + 2, dtype=torch.int32, device=self.device)

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest row, or of the tail."""
        return max(int(self.lengths.max()), self.size - self.real)

    @cached_property
    def owners(self) -> Tensor:
        """For each real token the number of the row that it belongs to."""
        return put(np.repeat(np.arange(len(self.lengths)), self.lengths), self.device)

    @cached_property
    def alike(self) -> Arranged:
        """Rows of like length together: little is padded."""
        order = np.argsort(self.lengths, kind="stable")
        return Arranged.of([self.bucket(order[a:b]) for a, b in cut_points(self.lengths[order])], self)

    @cached_property
    def tiled(self) -> Arranged:
        """Rows side by side in tiles of few sizes, for libraries that prepare a product for each size."""
        return Arranged.of([self.tiles(size, shared) for size, shared in shared_tiles(self.lengths)], self)

    def tiles(self, size: int, shared: Sequence[Sequence[int]]) -> Bucket:
        """Tiles of `size` tokens, with the numbers of the rows that share each."""
        places = np.zeros((len(shared), size), np.int64)
        owners = np.full((len(shared), size), -1, np.int64)
        for tile, rows in enumerate(shared):
            end = 0
            for row in rows:
                begin, end = end, end + int(self.lengths[row])
                places[tile, begin:end] = np.arange(self.first[row], self.first[row] + self.lengths[row])
                owners[tile, begin:end] = row
        real = put((owners >= 0).astype(np.float32), self.device)[:, None, :, None]
        numbers, flat = np.arange(len(shared)), put(places.reshape(-1), self.device)
        return Bucket(put(numbers, self.device), size, flat, real, put(owners, self.device))

    def bucket(self, rows: NDArray[np.int64]) -> Bucket:
        lengths = self.lengths[rows]
        longest = int(-(-lengths.max() // ROUND) * ROUND)
        inside = np.arange(longest)[None] < lengths[:, None]
        places = self.first[rows][:, None] + np.where(inside, np.arange(longest)[None], 0)
        real = None if inside.all() else put(inside.astype(np.float32), self.device)[:, None, :, None]
        return Bucket(put(rows, self.device), longest, put(places.reshape(-1), self.device), real)

    @cached_property
    def rows_back(self) -> Tensor:
        """B: where each row stands once the rows of all buckets of like length are one behind the other."""
        return torch.argsort(torch.cat([bucket.rows for bucket in self.alike.buckets]))


def put(array: NDArray[Any], device: torch.device) -> Tensor:
    """An array on a device; it goes there while the processor goes on."""
    here = torch.from_numpy(array)
    return here if device.type == "cpu" else here.pin_memory().to(device, non_blocking=True)


def shared_tiles(lengths: NDArray[np.int64]) -> list[tuple[int, list[list[int]]]]:
    """Sizes of tiles, and for each tile of a size the rows in it: each row in the first that has room for it.

    The longest come first, each in as small a tile as it needs; the shorter ones fill what they leave.
    """
    tiles: dict[int, list[list[int]]] = {}
    room: list[tuple[int, list[int]]] = []  # left in each tile
    for row in np.argsort(-lengths, kind="stable").tolist():
        length = int(lengths[row])
        found = next((i for i, (left, _) in enumerate(room) if left >= length), None)
        if found is None:
            size = tile_size(length)
            tiles.setdefault(size, []).append([])
            room.append((size, tiles[size][-1]))
            found = len(room) - 1
        left, rows = room[found]
        rows.append(row)
        room[found] = left - length, rows
    return list(tiles.items())


def tile_size(length: int) -> int:
    """TILE, or the next larger of its doubles and one and a half of them."""
    size = TILE
    while size < length:
        half = size + size // 2
        size = half if half >= length else 2 * size
    return size


def cut_points(ascending: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Stretches of rows, sorted by length, that waste little when each is padded to its longest row."""
    begin, real = 0, 0
    for i, length in enumerate(ascending):
        if i > begin and length * (i - begin + 1) > WASTE * (real + length):
            yield begin, i
            begin, real = i, 0
        real += int(length)
    yield begin, len(ascending)


def row_means(x_TD: Tensor, layout: Layout) -> Tensor:
    """B x D: the mean over the tokens of each row."""
    sums_BD = x_TD.new_zeros(len(layout.lengths), x_TD.shape[1])
    sums_BD.index_add_(0, layout.owners, x_TD[: layout.real])
    return sums_BD / torch.from_numpy(layout.lengths).to(sums_BD)[:, None]


def layout_of(state: Mapping[str, Any]) -> Layout | None:
    """The layout of a state whose rows lie end to end."""
    return state.get(LAYOUT)


def with_layout(state: Mapping[str, Tensor], layout: Layout) -> dict[str, Tensor]:
    """The state of rows that lie end to end. The layout travels among the tensors, and is none."""
    return {**state, LAYOUT: cast(Tensor, layout)}
