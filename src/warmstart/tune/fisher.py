"""Which weights a model's answers hang on: the diagonal of its Fisher information.

F = E_x E_{y ~ p(y|x)} (d log p(y|x) / d w)^2, by the model's own answers, never by labels. It takes one
backward pass for each row and class. Traps that other code falls into: the square of a batch's mean gradient
is smaller by about the number of rows in the batch, and so is not portable; gradients by the true labels are
another matrix, which vanishes as a model learns its rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from warmstart.base.seeds import generator
from warmstart.models.anatomy import Anatomy, at_rest
from warmstart.models.features import read
from warmstart.models.inputs import Inputs

EXACT = 32  # classes; with more, the sum over classes is estimated
DRAWS = 8  # of random signs for a row, where it is


def diagonal(
    anatomy: Anatomy, inputs: Inputs, rows: Sequence[int], parameters: Sequence[nn.Parameter], seed: int = 0
) -> list[Tensor]:
    """The diagonal for each of `parameters`, a mean over these rows, which stand before the first group.

    Up to EXACT classes it is exact; with more, an estimate without bias (see `ways`). In eval mode; whether
    parameters learn, and their gradients, are afterwards as they were.
    """
    learned = [p.requires_grad for p in parameters]
    found = [torch.zeros_like(p) for p in parameters]
    try:
        for p in parameters:
            p.requires_grad_(True)
        with at_rest(anatomy.model), torch.enable_grad():
            for row in rows:
                logits_C = anatomy.logits(read(anatomy, inputs, [int(row)]))[0]
                for way_C in ways(logits_C.detach().softmax(0), generator(seed, "fisher", int(row))):
                    slopes = torch.autograd.grad(
                        logits_C, parameters, way_C, retain_graph=True, allow_unused=True
                    )
                    for total, slope in zip(found, slopes, strict=True):
                        if slope is not None:
                            total.addcmul_(slope, slope, value=1 / len(rows))
    finally:
        for p, before in zip(parameters, learned, strict=True):
            p.requires_grad_(before)
    return found


def ways(p_C: Tensor, random: np.random.Generator) -> Tensor:
    """Directions in the logits of a row; the squares of the gradients along them add up to its diagonal.

    One for each class c, sqrt(p_c) * d log p_c; or, for many classes, DRAWS sums of all of these with random
    signs: the products of two of them cancel in expectation (Hutchinson 1990), and no class is left out.
    """
    if len(p_C) <= EXACT:
        return along(p_C, torch.eye(len(p_C), dtype=p_C.dtype, device=p_C.device))
    signs = torch.from_numpy(random.choice([-1.0, 1.0], (DRAWS, len(p_C)))).to(p_C)
    return along(p_C, signs / DRAWS**0.5)


def along(p_C: Tensor, signs_SC: Tensor) -> Tensor:
    """S x C: for each row of signs, the sum of the directions of all classes with these signs."""
    signed_SC = signs_SC * p_C.sqrt()
    found: Tensor = signed_SC - signed_SC.sum(1, keepdim=True) * p_C
    return found
