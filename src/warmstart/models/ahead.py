"""Batches read before they are asked for: while a graphics processor computes, the processor is free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from warmstart.models.anatomy import Anatomy, State
from warmstart.models.device import CPU
from warmstart.models.features import device_of
from warmstart.models.inputs import Inputs, Numbers


class Ahead(Inputs):
    """The same rows. A thread reads what will be asked for next, and sends it to the device."""

    def __init__(
        self, whole: Inputs, device: torch.device, end_to_end: bool, reader: ThreadPoolExecutor
    ) -> None:
        self.whole, self.lengths, self.key = whole, whole.lengths, whole.key
        self.device, self.end_to_end, self.reader = device, end_to_end, reader
        self.coming: dict[bytes, Future[State]] = {}

    def batch(self, numbers: Numbers) -> State:
        return self.whole.batch(numbers)

    def packed(self, numbers: Numbers) -> State:
        return self.whole.packed(numbers)

    def expect(self, batches: Sequence[NDArray[np.int64]]) -> None:
        """Read these; what was expected before and is not among them is forgotten."""
        names = [numbers.tobytes() for numbers in batches]
        self.coming = {name: read for name, read in self.coming.items() if name in names}
        for name, numbers in zip(names, batches, strict=True):
            if name not in self.coming:
                self.coming[name] = self.reader.submit(self.whole.on, self.device, numbers, self.end_to_end)

    def on(self, device: torch.device, numbers: Numbers, end_to_end: bool) -> State:
        read = self.coming.pop(np.asarray(numbers).tobytes(), None)
        if read is None or (device, end_to_end) != (self.device, self.end_to_end):
            return self.whole.on(device, numbers, end_to_end)
        return read.result()


@contextmanager
def read_ahead(anatomy: Anatomy, inputs: Inputs) -> Iterator[Inputs]:
    """Meanwhile the inputs read what they are told to expect, where that pays: not on a processor."""
    device = device_of(anatomy)
    if device.type == CPU:
        yield inputs
        return
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        yield Ahead(inputs, device, anatomy.packs, reader)
        reader.shutdown(wait=False, cancel_futures=True)
