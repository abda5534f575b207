"""Procedural textures, 32 x 32 and grey: waves, grids, noise of several colours, blobs and Voronoi cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Picture = NDArray[np.uint8]  # SIDE x SIDE, 0 black to 255 white
Field = NDArray[np.float64]  # SIDE x SIDE

SIDE = 32  # pixels


def texture(name: str, rng: np.random.Generator) -> Picture:
    """One texture, 32 x 32, any contrast and brightness."""
    field = TEXTURES[name](rng)
    low, high = np.quantile(field, 0.02), np.quantile(field, 0.98)
    level = np.clip((field - low) / (high - low + 1e-9), 0, 1)
    contrast = rng.uniform(0.5, 1)
    return np.round(255 * (contrast * level + rng.uniform(0, 1 - contrast))).astype(np.uint8)


def waves(rng: np.random.Generator) -> Field:
    """Phase of a plane wave of random direction, in turns: 1.5 to 6 across the picture."""
    y, x = np.indices((SIDE, SIDE)) / SIDE
    angle = rng.uniform(0, np.pi)
    phase: Field = rng.uniform(1.5, 6) * (np.cos(angle) * x + np.sin(angle) * y) + rng.random()
    return phase


def crossed(rng: np.random.Generator) -> tuple[Field, Field]:
    """Phases of two waves at right angles with the same length."""
    y, x = np.indices((SIDE, SIDE)) / SIDE
    angle, turns = rng.uniform(0, np.pi), rng.uniform(2, 5)
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    return turns * along + rng.random(), turns * across + rng.random()


def polar(rng: np.random.Generator) -> tuple[Field, Field]:
    """Distance (in picture sides) and angle (in turns) from a random middle."""
    y, x = np.indices((SIDE, SIDE)) / SIDE - rng.uniform(0.25, 0.75, 2)[:, None, None]
    return np.hypot(x, y), np.arctan2(y, x) / (2 * np.pi)


def sine(turns: Field) -> Field:
    return np.sin(2 * np.pi * turns)


def coloured_noise(rng: np.random.Generator, power: float) -> Field:
    """Noise whose amplitude falls as frequency ** -power: 0 white, 1 pink, 2 brown."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    frequency[0, 0] = np.inf if power else 1.0
    spectrum = np.fft.rfft2(rng.normal(size=(SIDE, SIDE)))
    noise: Field = np.fft.irfft2(spectrum * frequency**-power, (SIDE, SIDE))
    return noise


def cells(rng: np.random.Generator) -> tuple[Field, Field]:
    """Voronoi cells of 6 to 16 points: a grey for each cell, and the way to the border between two."""
    points = rng.uniform(0, SIDE, (int(rng.integers(6, 17)), 2))
    y, x = np.indices((SIDE, SIDE))
    far = np.hypot(points[:, :1, None] - y, points[:, 1:, None] - x)
    nearest = np.sort(far, 0)
    return rng.random(len(points))[far.argmin(0)], nearest[1] - nearest[0]


TEXTURES: dict[str, Callable[[np.random.Generator], Field]] = {
    "grating": lambda rng: sine(waves(rng)),
    "stripes": lambda rng: np.sign(sine(waves(rng))),
    "plaid": lambda rng: sine(waves(rng)) + sine(waves(rng)),
    "checkerboard": lambda rng: np.prod([np.sign(sine(turns / 2)) for turns in crossed(rng)], 0),
    "dots": lambda rng: np.clip(np.prod([sine(turns / 2) ** 2 for turns in crossed(rng)], 0), 0.4, 0.6),
    "rings": lambda rng: sine(polar(rng)[0] * rng.uniform(3, 7) + rng.random()),
    "rays": lambda rng: sine(polar(rng)[1] * rng.integers(4, 11) + rng.random()),
    "white_noise": lambda rng: coloured_noise(rng, 0),
    "pink_noise": lambda rng: coloured_noise(rng, 1),
    "brown_noise": lambda rng: coloured_noise(rng, 2),
    "blobs": lambda rng: np.sign(ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), rng.uniform(1.5, 3))),
    "cells": lambda rng: cells(rng)[0],
    "cracks": lambda rng: np.clip(cells(rng)[1], 0, 2),
}
