"""Where a model computes: on a graphics processor where there is one, else on the processor."""

from __future__ import annotations

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
        known = f"torch {torch.__version__} sees {there or 'no'} graphics processor{'s' * (there > 1)}"
        raise WarmstartError(
            f"device {wanted!r}: {known}", 'write "auto", or install torch for your card', "no-device"
        )
    torch.backends.cudnn.allow_tf32 = False
    return torch.device(CUDA, int(number or 0))


def named(device: torch.device) -> str:
    """What a graphics processor is called; "none" for the processor itself."""
    return torch.cuda.get_device_name(device) if device.type == CUDA else "none"


def finish(device: torch.device) -> None:
    """Wait until all that was asked of the device is done, so that a clock tells the truth."""
    if device.type == CUDA:
        torch.cuda.synchronize(device)
