"""Several processes that train one model: who learns from which rows, and how they agree.

Every process goes through the same loop with the same plan, rows and seeds. A batch of the optimiser is
divided among them; what they add up is the same to the last bit in each of them, so that each decides alike.
What only one of them can know (a clock, a signal, a checkpoint on disk) is agreed on before it counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

T = TypeVar("T")
PATIENCE = timedelta(minutes=30)  # for those who come later to the same place; an end is seen at once
COMING = timedelta(minutes=2)  # in which all must have joined
BUCKET = 8_000_000  # numbers that are added up in one message


class Lost(Exception):
    """Another process is gone, or does not come."""


@dataclass(frozen=True)
class Crew:
    """One of `size` processes that train together. ALONE says all of this to itself."""

    rank: int = 0
    size: int = 1
    sharded: bool = False  # does each hold but a part of weights, gradients and moments?

    @property
    def first(self) -> bool:
        return self.rank == 0

    @property
    def alone(self) -> bool:
        return self.size == 1

    def shares(self, lengths_B: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """For each process the places in a batch of the rows that it learns from, about as many tokens each.

        The longest row left goes to whoever has fewest tokens. Of few rows some processes get none.
        """
        if self.alone:
            return [np.arange(len(lengths_B))]
        owners, loads = np.zeros(len(lengths_B), np.int64), np.zeros(self.size, np.int64)
        for place in np.argsort(-lengths_B, kind="stable"):
            owners[place] = loads.argmin()
            loads[owners[place]] += lengths_B[place]
        return [np.flatnonzero(owners == rank) for rank in range(self.size)]

    def total(self, *values: float) -> tuple[float, ...]:
        """Each of the values, added up over all processes in double precision."""
        return values if self.alone else self.reduced(values, dist.ReduceOp.SUM)

    def largest(self, *values: float) -> tuple[float, ...]:
        """Each of the values where it is largest: a signal that one has heard, a check that failed in one."""
        return values if self.alone else self.reduced(values, dist.ReduceOp.MAX)

    def reduced(self, values: Sequence[float], how: Any) -> tuple[float, ...]:
        numbers = torch.tensor(values, dtype=torch.float64)
        self.send(lambda: dist.all_reduce(numbers, how))
        return tuple(numbers.tolist())

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Put in place of each tensor its sum over all processes; they travel end to end in large buckets."""
        if self.alone:
            return
        for bucket in buckets(tensors):
            flat = torch.cat([tensor.reshape(-1) for tensor in bucket])
            self.send(lambda flat=flat: dist.all_reduce(flat))  # type: ignore[misc]
            for tensor, part in zip(bucket, torch.split(flat, [t.numel() for t in bucket]), strict=True):
                tensor.copy_(part.view_as(tensor))

    def hand_out(self, tensors: Sequence[Tensor]) -> None:
        """Put in place of each tensor what the first process has there."""
        for tensor in () if self.alone else tensors:
            self.send(lambda tensor=tensor: dist.broadcast(tensor, 0))  # type: ignore[misc]

    def said(self, word: T) -> T:
        """What the first process says here, numbers and words, whatever the others say."""
        if self.alone:
            return word
        line = json.dumps(word).encode()
        size = torch.tensor([len(line)])
        self.send(lambda: dist.broadcast(size, 0))
        text = torch.zeros(int(size), dtype=torch.uint8)
        if self.first:
            text = torch.frombuffer(bytearray(line), dtype=torch.uint8)
        self.send(lambda: dist.broadcast(text, 0))
        answer: T = json.loads(text.numpy().tobytes())
        return answer

    def agree(self, word: str) -> bool:
        """Do all processes say the same word?"""
        return self.alone or not self.largest(self.said(word) != word)[0]

    def in_turn(self, work: Callable[[], T]) -> T:
        """What `work` gives; the first process has done its own before the others begin, and they find it."""
        if self.first:
            done = work()
            self.largest(0)
            return done
        self.largest(0)
        return work()

    def send(self, message: Callable[[], Any]) -> None:
        try:
            message()
        except RuntimeError as error:  # as gloo says that a connection is gone or a time is up
            raise Lost(str(error).split("\n")[0]) from error


ALONE = Crew()


def buckets(tensors: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """The tensors in their order, in stretches of one kind of number and about BUCKET numbers."""
    bucket: list[Tensor] = []
    for tensor in tensors:
        full = sum(t.numel() for t in bucket) + tensor.numel() > BUCKET
        if bucket and (full or tensor.dtype != bucket[0].dtype):
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket


def join(store: Any, rank: int, size: int, sharded: bool = False) -> Crew:
    """Become one of `size` processes that know each other through this store of torch.distributed."""
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=COMING)
    dist.distributed_c10d._set_pg_timeout(PATIENCE)
    return Crew(rank, size, sharded)


def leave() -> None:
    """Close all connections: whoever still waits for this process sees it at once."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
