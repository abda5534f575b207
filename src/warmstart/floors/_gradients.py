"""Histograms of oriented gradients (Dalal & Triggs 2005, CVPR), of many small pictures at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

CELLS = 4  # along each side
BINS = 9  # of 20 degrees; a gradient and its opposite are one
BLOCK = 2  # cells along each side that are normalised together
CUT = 0.2  # largest share of a block's length, after which it is normalised again ("L2-Hys")
FAINT = 0.1  # added to a block's length, so that noise on plain ground is not blown up


def oriented_gradients(pixels_NHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
    """N x 324 numbers of N square pictures: 3 x 3 blocks of 2 x 2 cells of 9 orientations.

    Votes are shared among the two nearest orientations and the four nearest cells, as in the paper; square
    roots of the pixels are compared, and of the colours the one with the steepest gradient votes.
    """
    steep_NHW, turn_NHW = gradients(np.sqrt(pixels_NHWC.astype(np.float32) / 255))
    below_NHW = np.floor(turn_NHW)
    share_NHW = turn_NHW - below_NHW
    below_NHW %= BINS
    near = nearness(pixels_NHWC.shape[1])
    cells_NIJB = np.empty((len(pixels_NHWC), CELLS, CELLS, BINS), np.float32)
    for bin in range(BINS):
        lower_NHW, upper_NHW = below_NHW == bin, below_NHW == (bin - 1) % BINS
        votes_NHW = steep_NHW * (lower_NHW * (1 - share_NHW) + upper_NHW * share_NHW)
        cells_NIJB[..., bin] = near @ votes_NHW @ near.T
    return blocks(cells_NIJB).reshape(len(pixels_NHWC), -1)


def gradients(light_NHWC: Floats) -> tuple[Floats, Floats]:
    """How steep each pixel's gradient is, and its direction: the middle of bin b is at b."""
    wide = np.pad(light_NHWC, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    across, down = wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2], wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]
    steepest = (across**2 + down**2).argmax(-1)[..., None]
    across, down = (np.take_along_axis(g, steepest, -1)[..., 0] for g in (across, down))
    return np.hypot(across, down), np.arctan2(down, across) % np.pi * (BINS / np.pi) - 0.5


def nearness(side: int) -> NDArray[np.float32]:
    """CELLS x side: how much of a pixel's vote a cell gets, from all at its middle to none one cell away."""
    at = (np.arange(side) + 0.5) * CELLS / side - 0.5
    near: NDArray[np.float32] = np.maximum(0, 1 - np.abs(at - np.arange(CELLS)[:, None])).astype(np.float32)
    return near


def blocks(cells_NIJB: Floats) -> Floats:
    """Every BLOCK x BLOCK cells as one normalised vector; blocks overlap."""
    along = CELLS - BLOCK + 1
    corners = [(i, j) for i in range(BLOCK) for j in range(BLOCK)]
    joined = np.concatenate([cells_NIJB[:, i : i + along, j : j + along] for i, j in corners], -1)
    return _normal(np.minimum(_normal(joined), CUT))


def _normal(vectors: Floats) -> Floats:
    normal: Floats = vectors / np.sqrt(np.square(vectors).sum(-1, keepdims=True) + FAINT**2)
    return normal
