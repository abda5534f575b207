"""The zoo's pictures as class folders of PNG files: letters, textures, and letters under shuffled names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import zoo_letters
import zoo_textures
from numpy.typing import NDArray
from PIL import Image

from warmstart.base.seeds import generator

Picture = NDArray[np.uint8]
Labelled = tuple[str, Picture]

PARTS: dict[str, tuple[Iterable[str], Callable[[str, np.random.Generator], Picture]]] = {
    "letters": (zoo_letters.STROKES, zoo_letters.letter),
    "textures": (zoo_textures.TEXTURES, zoo_textures.texture),
    "shuffled": (zoo_letters.STROKES, zoo_letters.letter),
}
SPLITS = {"train": 1.0, "validation": 0.1, "test": 0.2}  # pictures per class, as shares of `per_class`


def write_pictures(source: str, folder: Path, per_class: int, seed: int) -> Path:
    """Draw `source` into folder/<split>/<class>/<number>.png, `per_class` training pictures a class.

    The same seed gives the same files. In "shuffled" every split keeps its letters and its counts,
    but the names are dealt out at random.
    """
    for split, share in SPLITS.items():
        pictures = draw(source, split, max(1, round(share * per_class)), seed)
        for number, (name, picture) in enumerate(pictures):
            path = folder / split / name / f"{number:05}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)
    return folder


def draw(source: str, split: str, per_class: int, seed: int) -> list[Labelled]:
    """All pictures of a split with their class names, class by class."""
    names, make = PARTS[source]
    pictures = [
        (name, make(name, generator(seed, "zoo", source, split, name, number)))
        for name in names
        for number in range(per_class)
    ]
    return shuffled(pictures, generator(seed, "zoo", source, split)) if source == "shuffled" else pictures


def shuffled(pictures: list[Labelled], rng: np.random.Generator) -> list[Labelled]:
    """The same pictures and the same names, dealt out at random."""
    order = rng.permutation(len(pictures))
    return [(pictures[i][0], picture) for i, (_, picture) in zip(order, pictures, strict=True)]
