"""Where in a picture which colours and which edges are, seen at 32 x 32 pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmstart.data.images import opened, without_warnings
from warmstart.floors._floor import Floor
from warmstart.floors._gradients import oriented_gradients
from warmstart.models.softmax import standardise

SIDE = 32  # pixels; of 32, 48 and 64 the quickest; none is better everywhere (EXPERIMENTS.md)
GRID = 4  # cells along each side
LEVELS = 4  # of each colour in the histogram
AT_ONCE = 256  # pictures


@dataclass(frozen=True)
class ColoursAndEdges(Floor):
    """Mean and deviation of each colour in 4 x 4 cells, a histogram of 64 colours, and oriented gradients."""

    plain = "a look at colours and edges (colour statistics and HOG with logistic regression)"
    penalties = (1e-3, 1e-2, 1e-1, 1.0)

    def read(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """N x 484; every picture is looked at as a square, whatever its shape."""
        parts = []
        with without_warnings():
            for begin in range(0, len(values), AT_ONCE):
                some = range(begin, min(begin + AT_ONCE, len(values)))
                parts.append(described(np.stack([small(values[i]) for i in some])))
        return np.concatenate(parts).astype(np.float64)

    def weighed(self, raw_ND: Any, train: NDArray[np.int64]) -> NDArray[np.floating]:
        """By mean and deviation of the training rows."""
        scaled_ND = standardise(raw_ND[train], raw_ND)[1]
        scaled_ND[:, ~np.ptp(raw_ND[train], axis=0).astype(bool)] = 0  # what never varied says nothing
        return scaled_ND


def small(value: Any) -> NDArray[np.uint8]:
    """One picture as SIDE x SIDE x 3 bytes."""
    from PIL import Image

    image = opened(value, least=2 * SIDE)
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0))


def described(pixels_NHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([oriented_gradients(pixels_NHWC), moments(pixels_NHWC), palette(pixels_NHWC)], 1)


def moments(pixels_NHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """N x 96: mean and deviation of each colour in each cell of the grid."""
    count, side = pixels_NHWC.shape[0], pixels_NHWC.shape[1] // GRID
    cells = (pixels_NHWC.astype(np.float32) / 255).reshape(count, GRID, side, GRID, side, 3)
    return np.concatenate([m((2, 4)).reshape(count, -1) for m in (cells.mean, cells.std)], 1)


def palette(pixels_NHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """N x 64: square roots of the shares of pixels of each colour, which keeps small shares apart."""
    count, colours = len(pixels_NHWC), LEVELS**3
    levels = pixels_NHWC.astype(np.int64) * LEVELS // 256
    colour_NP = (levels @ np.array([LEVELS**2, LEVELS, 1])).reshape(count, -1)
    place_NP = colour_NP + colours * np.arange(count)[:, None]
    counts_NK = np.bincount(place_NP.ravel(), minlength=count * colours).reshape(count, colours)
    shares_NK: NDArray[np.float32] = np.sqrt(counts_NK / colour_NP.shape[1]).astype(np.float32)
    return shares_NK


FLOOR = ColoursAndEdges
