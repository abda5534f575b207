"""How fast a model learns here: a few steps of its own rows, timed; nothing has moved afterwards.

A plan consists of steps that begin at some group, of looks, and of passes of the optimiser over weights. Each
is timed once, so that every strategy has a price before any is paid (decide/cost.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from warmstart.base.seeds import generator
from warmstart.base.types import Pace
from warmstart.models import vocabulary
from warmstart.models.anatomy import Anatomy, State, at_rest
from warmstart.models.device import finish
from warmstart.models.features import BATCH, device_of, read
from warmstart.models.inputs import Numbers
from warmstart.tasks._task import Task
from warmstart.tune.job import Split
from warmstart.tune.worth import costs

TIMES = 2  # timed, after one that is not: memory is fetched and libraries get ready in the first
MOVED = 1_000_000  # weights that tell how long the optimiser takes for one
BACKWARD = 2  # times the products of a forward pass
MOVING = 3e-9  # seconds of the optimiser a weight, where it is not timed

Part = NDArray[np.int64]


def measure(anatomy: Anatomy, task: Task, split: Split, starts: Iterable[int], batch: int, seed: int) -> Pace:
    """Steps and looks that begin at these groups, on seeded batches of the split's rows.

    All layers learn meanwhile, norms at rest; gradients are gone afterwards, and weights as they were.
    """
    anatomy.set_learning(("*",), "frozen")
    order = generator(seed, "pace").permutation(len(split))
    parts, wide = (np.split(np.resize(order, size * (TIMES + 1)), TIMES + 1) for size in (batch, BATCH))
    places = sorted(set(starts))
    try:
        step = {at: timed(parts, partial(learn, anatomy, task, split, at)) for at in places}
        look = {at: timed(wide, partial(ask, anatomy, task, split, at)) for at in places}
        once = partial(learn, anatomy, task, split, 0, parts[0])
        saved = kept_for_backward(once, anatomy.model.parameters()) // batch
    finally:
        anatomy.model.zero_grad(set_to_none=True)
    return Pace(step, look, moving(device_of(anatomy)), moved(anatomy, split, places), saved)


def counted(anatomy: Anatomy, split: Split, starts: Iterable[int]) -> Pace:
    """The same from counted products, so that it is the same every time; only ratios of it mean anything."""
    places, end = sorted(set(starts)), len(anatomy.groups)
    known = costs(anatomy, split.inputs, [*places, end])
    look = {at: known[end].seconds - known[at].seconds for at in places}
    step = {at: (1 + BACKWARD) * seconds for at, seconds in look.items()}
    return Pace(step, look, MOVING, moved(anatomy, split, places), 0)


def timed(parts: Sequence[Part], work: Callable[[Part], float]) -> float:
    """The middle of the seconds a row that `work` says it took, the first time apart."""
    return median([work(part) / len(part) for part in parts][1:])


def learn(anatomy: Anatomy, task: Task, split: Split, start: int, rows: Part) -> float:
    """Seconds of a step's forward and backward pass from group `start` on."""
    state, targets = before(anatomy, split, rows, start), wanted(anatomy, split, rows)
    began = time.perf_counter()
    loss, _ = task.loss_of(anatomy, state, start, targets)
    loss.backward()  # type: ignore[no-untyped-call]
    finish(device_of(anatomy))
    return time.perf_counter() - began


@torch.inference_mode()
def ask(anatomy: Anatomy, task: Task, split: Split, start: int, rows: Part) -> float:
    """Seconds of a look from group `start` on."""
    state, targets = before(anatomy, split, rows, start), wanted(anatomy, split, rows)
    with at_rest(anatomy.model):
        began = time.perf_counter()
        task.look(anatomy, state, start, targets)
        finish(device_of(anatomy))
        return time.perf_counter() - began


def before(anatomy: Anatomy, split: Split, rows: Numbers, start: int) -> State:
    """The state of these rows before group `start`, as the cache of a prefix would give it."""
    state = read(anatomy, split.inputs, rows)
    if start == 0:
        return state
    with torch.no_grad(), at_rest(anatomy.model):
        return anatomy.run(state, 0, start)


def wanted(anatomy: Anatomy, split: Split, rows: Part) -> Tensor:
    return split.targets[torch.from_numpy(rows)].to(device_of(anatomy))


def moving(device: torch.device) -> float:
    """Seconds in which the optimiser moves one weight."""
    weights = torch.nn.Parameter(torch.zeros(MOVED, device=device))
    weights.grad = torch.ones_like(weights)
    stepper = torch.optim.AdamW([weights], fused=True)
    took = []
    for _ in range(TIMES + 1):
        began = time.perf_counter()
        stepper.step()
        finish(device)
        took.append(time.perf_counter() - began)
    return median(took[1:]) / MOVED


def moved(anatomy: Anatomy, split: Split, starts: Iterable[int]) -> dict[int, int]:
    """Weights from each group on; of a vocabulary only the rows that occur."""
    counts = [sum(p.numel() for p in group.parameters()) for group in anatomy.groups]
    found = vocabulary.find(anatomy, [split.inputs])
    if found is not None:
        counts[0] -= (len(found.whole) - len(found.used)) * found.whole.shape[1]
    return {start: sum(counts[start:]) for start in starts}


def kept_for_backward(work: Callable[[], object], weights: Iterable[Tensor]) -> int:
    """Bytes of all tensors kept for a backward pass, each storage once, those of the weights apart."""
    known = {weight.untyped_storage().data_ptr() for weight in weights}
    seen: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        work()
    return sum(seen.values())
