"""Weights between two points, tensor by tensor: what wise_ft and lines do at the end, and a sweep may try.

Nothing here trains. A sweep keeps the weights from before and after, and sets those in between:

    shares = even(anatomy, start, 0.5)
    anatomy.model.load_state_dict(mixed(start, tuned, shares), strict=False)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from warmstart.models.anatomy import Anatomy

ADAPTER = ".lora_"  # in the names of what an adapter added
FIRST_FACTOR = ".lora_A."


@torch.no_grad()
def mixed(
    start: Mapping[str, Tensor], tuned: Mapping[str, Tensor], share_of: Mapping[str, float]
) -> dict[str, Tensor]:
    """(1 - share) * start + share * tuned of each tensor; those without a share stay tuned.

    A share of 0 or 1 gives one of the two to the last bit. Whole numbers, which count, stay tuned.
    """
    return {
        name: torch.lerp(tensor, start[name].to(tensor.device), 1 - share_of[name])
        if name in share_of and tensor.is_floating_point()
        else tensor
        for name, tensor in tuned.items()
    }


def even(anatomy: Anatomy, names: Iterable[str], share: float) -> dict[str, float]:
    """The same share for all of the body, as in WiSE-FT (Wortsman et al. 2022, arXiv 2109.01903)."""
    return dict.fromkeys(depths(anatomy, names), share)


def rising(anatomy: Anatomy, names: Iterable[str], lowest: float) -> dict[str, float]:
    """Shares that rise evenly from `lowest` of the first body group to 1 of the last.

    lowest + (1 - lowest) * (l - 1) / (L - 1) for group l of L, as in LiNeS (Wang et al. 2024, arXiv
    2410.17146); 1 where there is but one.
    """
    last = len(anatomy.groups) - 2
    return {
        name: lowest + (1 - lowest) * depth / last if last else 1.0
        for name, depth in depths(anatomy, names).items()
    }


def depths(anatomy: Anatomy, names: Iterable[str]) -> dict[str, int]:
    """Name -> number of its group, of what can be mixed: the body, norm statistics included.

    The head has no start worth keeping. An adapter B A starts with B = 0, so that scaling B alone mixes their
    product; A has no share.
    """
    found: dict[int, int] = {}
    for number, group in enumerate(anatomy.groups):
        for module in group.modules:
            for tensor in (*module.parameters(), *module.buffers()):
                found.setdefault(id(tensor), number)
    model, last = anatomy.model, len(anatomy.groups) - 1
    every = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    place = {name: found.get(id(tensor), last) for name, tensor in every}
    return {n: place[n] for n in names if place[n] < last and FIRST_FACTOR not in n}
