"""In which precision a model computes: bfloat16 where the machine is faster with it; weights stay in float32.

Pooler and head always compute in float32: their few numbers decide, and cost nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

FP32, BF16, AUTO = "fp32", "bf16", "auto"
PRECISIONS = (AUTO, FP32, BF16)
SMALL = 1_000_000  # parameters; below it, the calls cost more than the products
WORTH = 1.15  # times as fast bfloat16 must be to be taken
WORTH_THERE = 0.7  # on graphics processors: it opens flash attention and replayed steps, and halves memory
ROUNDS = 4
LONG = 1.0  # seconds after which no further round is begun
SHARE = 0.1  # of an epoch, after which neither


def computing(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Meanwhile matrix products and convolutions compute in `precision`."""
    if precision != BF16:
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


@dataclass(frozen=True)
class Chosen:
    """A precision, and the seconds that one step took in each."""

    precision: str
    seconds: dict[str, float]
    why: str


def nothing() -> None:
    """What there is to wait for on a processor."""


def choose(
    parameters: int,
    step: Callable[[str], Tensor],
    steps: float,
    wait: Callable[[], None] = nothing,
    worth: float = WORTH,
) -> Chosen:
    """Time `step`, which runs a small batch forward and gives its loss, in both precisions.

    `steps` of them make an epoch: few rows are not worth long measuring. `wait` returns once what was asked
    of the device is done. bfloat16 is taken where it is `worth` times as fast. Models of less than SMALL
    parameters are not measured at all.
    """
    if parameters < SMALL:
        return Chosen(FP32, {}, f"{parameters:,} parameters are too few for bfloat16 to pay")
    seconds = fastest(step, steps, wait)
    ratio = seconds[FP32] / seconds[BF16]
    taken = BF16 if ratio >= worth else FP32
    why = f"a step in bfloat16 is {ratio:.1f} times as fast as in float32"
    if worth < 1:
        why += f"; from {worth} times it is taken, as fused attention and replayed steps need it"
    return Chosen(taken, seconds, why)


def fastest(
    step: Callable[[str], Tensor], steps: float, wait: Callable[[], None] = nothing
) -> dict[str, float]:
    """Seconds of the fastest step in each precision: in turns, so that both meet the machine as it is.

    The first step of each is not counted; one round is enough where steps are long.
    """
    taken: dict[str, list[float]] = {FP32: [], BF16: []}
    for _ in range(ROUNDS + 1):
        for precision, seconds in taken.items():
            started = time.perf_counter()
            step(precision).backward()  # type: ignore[no-untyped-call]
            wait()
            seconds.append(time.perf_counter() - started)
        spent, enough = sum(map(sum, taken.values())), SHARE * steps * taken[FP32][-1]
        if len(taken[FP32]) > 1 and spent > min(LONG, enough):
            break
    return {precision: min(seconds[1:]) for precision, seconds in taken.items()}
