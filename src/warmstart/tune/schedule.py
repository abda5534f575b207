"""How the learning rate rises and falls within a phase."""

from collections.abc import Callable
from math import cos, pi

from warmstart.base.types import Phase

SHAPES: dict[str, Callable[[float], float]] = {
    "linear": lambda done: 1 - done,
    "cosine": lambda done: (1 + cos(pi * done)) / 2,
    "constant": lambda done: 1.0,
}


def factor(phase: Phase, step: int, total: int) -> float:
    """Factor of the rate at `step` (0-based) of `total`: up in the warm-up, then down to 0 at the end."""
    rising = round(phase.warmup * total)
    if step < rising:
        return (step + 1) / rising
    return SHAPES[phase.schedule]((step - rising) / max(1, total - rising))
