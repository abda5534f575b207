"""Memory that ran out: the same rows again, half as many at a time. What is learned stays the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from warmstart.base.errors import WarmstartError
from warmstart.base.events import Tell, nobody
from warmstart.models.anatomy import Anatomy, State
from warmstart.models.features import BATCH, logits_of
from warmstart.models.inputs import Inputs, Numbers, digest
from warmstart.tune.job import Job

T = TypeVar("T")
Limits = dict[str, int]  # rows at a time that memory bears, by what is done with them: "step", "look"
DOING = {"step": "learning", "look": "evaluating"}
WORDS = (
    *("can't allocate memory", "not enough memory", "out of memory", "Cannot allocate memory"),
    *("could not create a primitive", "could not create a memory"),  # as oneDNN says it
)


def is_shortage(error: BaseException) -> bool:
    """Is it memory that ran out, in whichever way torch and Python say so?"""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in WORDS)


def at_a_time(limits: Limits, what: str, wanted: int) -> int:
    """Rows at a time: as many as wanted, or as memory was found to bear."""
    return min(wanted, limits.get(what) or wanted)


def halving(
    limits: Limits,
    what: str,
    wanted: int,
    work: Callable[[], T],
    tell: Tell = nobody,
    undo: Callable[[], None] = lambda: None,
    spare: Callable[[], bool] = bool,
) -> T:
    """What `work` gives, which reads its rows at a time from `limits`; where memory runs out, half as many.

    `undo` puts back what a broken try has moved. `spare` gives back memory that can be done without, and says
    whether there was any: then as many rows are tried again. WarmstartError where one row alone is too much.
    """
    while True:
        size = at_a_time(limits, what, wanted)
        try:
            return work()
        except (RuntimeError, MemoryError) as error:
            if not is_shortage(error):
                raise
            given = spare()
            if size == 1 and not given:
                raise too_much(what, error) from None
        undo()  # only here: while the error is alive, so is all that its frames hold
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if given:
            continue
        limits[what] = size // 2
        said = f"memory ran out while {DOING[what]} with {size} rows at a time: from now on {size // 2}"
        tell({"event": "note", "what": f"{said}; the result is the same but for rounding"})


def learning(job: Job, stepper: Optimizer, rows: int, undo: Callable[[], None], work: Callable[[], T]) -> T:
    """What `work` gives, which adds up the gradients of so many rows, in as many parts as memory needs."""

    def afresh() -> None:
        stepper.zero_grad(set_to_none=True)
        undo()

    if job.crew.sharded:  # the others are in the midst of the same layers
        return work()
    wanted = min(job.plan.micro_batch or rows, rows)
    return halving(job.limits, "step", wanted, work, job.tell, afresh, job.spare)


def too_much(what: str, error: BaseException) -> WarmstartError:
    reason = str(error).strip().split("\n")[0][:160]
    return WarmstartError(
        f"the memory does not suffice for {DOING[what]} with one row at a time ({reason})",
        "free memory, cut the rows shorter, or take a smaller model",
        "memory",
        5,
    )


class InParts(Inputs):
    """The same rows in smaller batches."""

    def __init__(self, whole: Inputs, limit: int) -> None:
        self.whole, self.limit, self.lengths = whole, limit, whole.lengths
        self.key = digest(f"{whole.key} {limit} at a time".encode())

    def batch(self, numbers: Numbers) -> State:
        return self.whole.batch(numbers)

    def packed(self, numbers: Numbers) -> State:
        return self.whole.packed(numbers)

    def on(self, device: torch.device, numbers: Numbers, end_to_end: bool) -> State:
        return self.whole.on(device, numbers, end_to_end)

    def in_order(self, size: int) -> Iterator[NDArray[np.int64]]:
        for numbers in self.whole.in_order(size):
            yield from (numbers[i : i + self.limit] for i in range(0, len(numbers), self.limit))


def in_parts(inputs: Inputs, limits: Limits) -> Inputs:
    """The inputs, in batches as large as memory was found to bear when looking at rows."""
    return InParts(inputs, limits["look"]) if limits.get("look") else inputs


def looking(limits: Limits, inputs: Inputs, ask: Callable[[Inputs], T], tell: Tell = nobody) -> T:
    """What `ask` finds out about all rows, in as large batches as memory bears."""
    wanted = min(BATCH, len(inputs))
    return halving(limits, "look", wanted, lambda: ask(in_parts(inputs, limits)), tell)


def logits_in_parts(
    anatomy: Anatomy, inputs: Inputs, start: int, limits: Limits, tell: Tell = nobody
) -> Tensor:
    """N x C scores of all rows in eval mode, in as large batches as memory bears."""
    return looking(limits, inputs, lambda rows: logits_of(anatomy, rows, start), tell)
