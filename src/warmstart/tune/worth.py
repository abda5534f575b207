"""Which frozen prefixes are worth keeping: passes over the rows that are saved against writing and reading.

Products are counted, not timed: the same plan on the same rows decides alike every time, so that a training
that was broken off goes on with the same bits. A pass through the network can keep the states that later
phases will want, as long as no phase before them moves anything below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from warmstart.base.types import Phase
from warmstart.models.anatomy import Anatomy, at_rest
from warmstart.models.device import CPU
from warmstart.models.features import device_of, read
from warmstart.models.inputs import Inputs

PRODUCTS = 1e11  # a second and thread
MANY = 5e13  # a second on a graphics processor
CALLS = 3e-6  # seconds a group and row, however small they are
WRITE, READ = 5e8, 2e9  # bytes a second, with their hash
SOLVED = 4  # passes of a phase that is solved: features and logits, twice where another strength is asked for


@dataclass(frozen=True)
class Cost:
    """What one row costs below a group: seconds to compute, and bytes of what stands there."""

    seconds: float
    size: int

    @property
    def writing(self) -> float:
        return self.size / WRITE

    @property
    def reading(self) -> float:
        return self.size / READ


@dataclass(frozen=True)
class Choice:
    """Whether the prefix of a phase is kept, in which phase's pass, and the seconds a row behind it."""

    stop: int
    keep: bool
    made_in: int  # number of the phase whose pass over the rows keeps it
    passes: int  # that would run the prefix otherwise
    through: float  # seconds a row without
    behind: float  # and with it


@torch.inference_mode()
def costs(anatomy: Anatomy, inputs: Inputs, stops: Sequence[int]) -> dict[int, Cost]:
    """The cost of one row of middle length below each of these groups."""
    middle = int(np.argsort(inputs.lengths, kind="stable")[len(inputs) // 2])
    found, products, at = {}, 0, 0
    speed = PRODUCTS * torch.get_num_threads() if device_of(anatomy).type == CPU else MANY
    with at_rest(anatomy.model):
        state = read(anatomy, inputs, [middle])
        for stop in sorted(set(stops)):
            with FlopCounterMode(display=False) as counter:
                state = anatomy.run(state, at, stop)
            at, products = stop, products + counter.get_total_flops()
            kept = (v for k, v in state.items() if not k.startswith("_") and isinstance(v, Tensor))
            size = sum(tensor.nbytes for tensor in kept)
            found[stop] = Cost(products / speed + CALLS * stop, size)
    return found


def choose(phases: Sequence[Phase], stops: Sequence[int], known: Mapping[int, Cost]) -> list[Choice]:
    """For each phase, whose layers below `stops[i]` rest: is what stands there worth keeping?"""
    choices: list[Choice] = []
    for number, stop in enumerate(stops):
        if stop == 0:
            choices.append(Choice(0, False, number, 0, 0.0, 0.0))
            continue
        sources = [p for p in range(number) if choices[p].keep and unmoved(stops, p, number)]
        made_in = choices[sources[0]].made_in if sources else number
        there = any(stops[p] == stop for p in sources)
        passes = sum(passes_of(phases[q]) for q in sharers(stops, number))
        choices.append(weigh(known[stop], stop, made_in, passes, there, bool(sources)))
    return choices


def weigh(cost: Cost, stop: int, made_in: int, passes: int, there: bool, on_the_way: bool) -> Choice:
    """Keep it if computing it once at most, writing and reading it take less than computing it every time."""
    through = passes * cost.seconds
    once = 0.0 if there or on_the_way else cost.seconds
    behind = once + (0.0 if there else cost.writing) + passes * cost.reading
    return Choice(stop, behind < through, made_in, passes, through, behind)


def unmoved(stops: Sequence[int], before: int, number: int) -> bool:
    """Do the phases from `before` on leave everything below the prefix of phase `number` as it is?"""
    return stops[number] <= min(stops[before:number])


def sharers(stops: Sequence[int], number: int) -> list[int]:
    """This phase and those after it that stand before the same group, with the same weights below."""
    later = range(number + 1, len(stops))
    return [number, *(q for q in later if stops[q] == stops[number] and unmoved(stops, number, q))]


def passes_of(phase: Phase) -> int:
    return SOLVED if phase.solver == "logistic" else phase.epochs


def together(choices: Sequence[Choice], number: int) -> list[int]:
    """The groups before which the pass of phase `number` keeps what stands there, ascending."""
    wanted = {c.stop for q, c in enumerate(choices) if c.keep and (c.made_in == number or q == number)}
    return sorted(stop for stop in wanted if stop <= choices[number].stop)


def event(choice: Choice, cost: Cost) -> dict[str, Any]:
    """What was decided about the prefix of a phase, with the numbers that decided."""
    numbers = {"passes": choice.passes, "through": choice.through, "behind": choice.behind}
    return {"event": "prefix", "stop": choice.stop, "keep": choice.keep, "bytes_a_row": cost.size, **numbers}
