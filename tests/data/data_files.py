"""Small data sets on disk, for the tests of the data package and of the command line."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

ADJECTIVES = (
    "red",
    "blue",
    "green",
    "loud",
    "quiet",
    "tall",
    "short",
    "broad",
    "early",
    "late",
    "cheap",
    "plain",
)
NOUNS = (
    "table",
    "window",
    "garden",
    "engine",
    "bottle",
    "letter",
    "market",
    "bridge",
    "ticket",
    "mirror",
    "ladder",
)
VERBS = (
    "breaks",
    "opens",
    "closes",
    "turns",
    "falls",
    "shines",
    "rattles",
    "leaks",
    "bends",
    "sticks",
    "fades",
)


def sentence(number: int) -> str:
    """A sentence of its own for every number: no two are nearly the same."""
    words = np.random.default_rng(number)
    parts = [words.choice(pool) for pool in (ADJECTIVES, NOUNS, VERBS, ADJECTIVES, NOUNS, VERBS)]
    return " ".join(map(str, parts)) + f" {number * 7919 % 10007}"


def write_table(path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = ("text", "label")) -> Path:
    """A CSV file, UTF-8, of this header and these rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return path


def reviews(number: int, classes: Sequence[str] = ("good", "bad"), start: int = 0) -> list[tuple[str, str]]:
    """Rows of different sentences, the classes in turn."""
    return [(sentence(start + i), classes[i % len(classes)]) for i in range(number)]


def picture(number: int, side: int = 48) -> Image.Image:
    """A smooth random picture of its own for every number."""
    coarse = np.random.default_rng(number).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def image_bytes(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def write_pictures(
    folder: Path, classes: Sequence[str], each: int, start: int = 0, kind: str = "png"
) -> Path:
    """A class folder: folder/<class>/<n>.<kind>, every picture different."""
    number = start
    for name in classes:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(each):
            picture(number).save(folder / name / f"{i}.{kind}")
            number += 1
    return folder
