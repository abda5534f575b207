"""A state in fixed places: batch after batch is written into it, so that what reads it can be replayed."""

from __future__ import annotations

from typing import Any, NoReturn

import torch

from warmstart.models.anatomy import State
from warmstart.models.rows import LAYOUT, Layout, layout_of, with_layout


class CannotStand(Exception):
    """Something asks for what is another with each batch, such as the lengths of its rows."""


def varies(layout: object) -> NoReturn:
    raise CannotStand("what differs from batch to batch")


class StandingLayout(Layout):
    """The layout of all batches with so many rows and tokens; none of its rows is longer than `longest`."""

    lengths = first = real = owners = alike = tiled = rows_back = property(varies)

    def __init__(self, rows: int, size: int, longest: int, device: torch.device) -> None:
        whole: dict[str, Any] = {"dtype": torch.int64, "device": device}
        near: dict[str, Any] = {"dtype": torch.int32, "device": device}
        places = {"starts": torch.zeros(rows, **whole), "positions": torch.zeros(size, **whole)}
        bounds = {"bounds": torch.zeros(rows + 2, **near), "heads": torch.arange(rows + 2, **near)}
        self.__dict__.update(device=device, size=size, longest=longest, **places, **bounds)

    def take(self, layout: Layout) -> None:
        """Take over the boundaries of a batch."""
        for name in ("starts", "positions", "bounds"):
            getattr(self, name).copy_(getattr(layout, name))


def standing(state: State, longest: int) -> State:
    """A state like this one to be written into."""
    fresh = {name: tensor.clone() for name, tensor in state.items() if name != LAYOUT}
    layout = layout_of(state)
    if layout is None:
        return fresh
    place = StandingLayout(len(layout.lengths), layout.size, longest, layout.device)
    place.take(layout)
    return with_layout(fresh, place)


def take(place: State, state: State) -> None:
    """Write a state of the same shape where `place` stands."""
    for name, tensor in state.items():
        if name != LAYOUT:
            place[name].copy_(tensor)
    there, layout = layout_of(place), layout_of(state)
    if isinstance(there, StandingLayout) and layout is not None:
        there.take(layout)
