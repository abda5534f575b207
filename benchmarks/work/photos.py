"""JPEGs that look like blurred photographs; their class is told by hue and by the grain of a texture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CLASSES = ("bark", "cloth", "grass", "sand", "stone", "water")
WIDTH, HEIGHT, JITTER = 300, 260, 30
QUALITY = 88


def write_photos(folder: Path, sizes: dict[str, int], seed: int = 0) -> None:
    """<folder>/<split>/<class>/<n>.jpg."""
    source = np.random.default_rng(seed)
    for split, count in sizes.items():
        for i in range(count):
            kind = i % len(CLASSES)
            place = folder / split / CLASSES[kind]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(photo(source, kind)).save(place / f"{i}.jpg", quality=QUALITY)


def photo(source: np.random.Generator, kind: int) -> NDArray[np.uint8]:
    """H x W x 3 pixels: clouds of the class's hue over a grating of the class's grain."""
    height = HEIGHT + int(source.integers(-JITTER, JITTER))
    width = WIDTH + int(source.integers(-JITTER, JITTER))
    shade = cloud(source, height, width)[..., None]
    colours = np.stack([cloud(source, height, width) for _ in range(3)], axis=-1)
    hue = np.array([np.cos(2 * np.pi * (kind / len(CLASSES) + c / 3)) for c in range(3)])
    tint = 40 * source.normal(1, 0.3) * hue + 12 * source.normal(size=3)
    grain = (4 + 3 * kind) * source.uniform(0.75, 1.33)
    angle = source.uniform(0, np.pi)
    y, x = np.mgrid[:height, :width]
    waves = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / grain)
    light = 128 + 35 * shade + 10 * colours + tint + 14 * waves[..., None]
    light += source.normal(0, 3, light.shape)
    return np.clip(light, 0, 255).astype(np.uint8)


def cloud(source: np.random.Generator, height: int, width: int) -> NDArray[np.float64]:
    """H x W noise whose amplitude falls with the frequency, as in photographs; mean 0, deviation 1."""
    noise = np.fft.rfft2(source.normal(size=(height, width)))
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    smooth = np.fft.irfft2(noise / np.maximum(np.hypot(fy, fx), 1 / max(height, width)), (height, width))
    return (smooth - smooth.mean()) / smooth.std()
