"""Where a model computes: on a graphics processor where there is one, else on the processor."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from warmstart.base.errors import WarmstartError

AUTO, CPU, CUDA = "auto", "cpu", "cuda"


def choose(wanted: str = AUTO) -> torch.device:
    """The device of this name: "auto", "cpu", "cuda" or "cuda:1". WarmstartError where there is none such.

    Convolutions in single precision then compute in it: cuDNN would round their factors to ten bits.
    """
    if wanted == CPU or (wanted == AUTO and not torch.cuda.is_available()):
        return torch.device(CPU)
    kind, _, number = (CUDA if wanted == AUTO else wanted).partition(":")
    if kind != CUDA or not (number or "0").isdecimal():
        raise WarmstartError(f"device {wanted!r}", 'write "auto", "cpu", "cuda" or "cuda:1"', "wrong-value")
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(number or 0) >= there:
        known = f"torch {torch.__version__} sees {there or 'no'} GPU{'s' * (there > 1)}"
        raise WarmstartError(
            f"device {wanted!r}: {known}", "leave it out, or install torch for your GPU", "no-device"
        )
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # so that products can be the same each time
    torch.backends.cudnn.allow_tf32 = False
    return torch.device(CUDA, int(number or 0))


def named(device: torch.device) -> str:
    """What a graphics processor is called; "none" for the processor itself."""
    return torch.cuda.get_device_name(device) if device.type == CUDA else "none"


def finish(device: torch.device) -> None:
    """Wait until all that was asked of the device is done, so that a clock tells the truth."""
    if device.type == CUDA:
        torch.cuda.synchronize(device)


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Meanwhile a graphics processor adds up in the same order each time, wherever torch knows how.

    The gradient of fused attention it does not: there the last bits may differ. A processor is always exact.
    """
    if device.type != CUDA:
        yield
        return
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    cudnn: Any = torch.backends.cudnn
    memory: Any = torch.utils.deterministic
    chosen, filled = cudnn.deterministic, memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    cudnn.deterministic, memory.fill_uninitialized_memory = True, False
    try:
        with warnings.catch_warnings():
            for said in ("does not have a deterministic implementation", "a non-deterministic algorithm"):
                warnings.filterwarnings("ignore", f".*{said}")
            yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        cudnn.deterministic, memory.fill_uninitialized_memory = chosen, filled
