"""Sentences whose class is told by which words they use, and now and then told wrong."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CLASSES = ("arts", "money", "sports", "travel")
WORDS = 30_000
KEYWORDS = 30  # a class
COMMON = 40  # words before the first keyword that every class uses
TELLING = 0.4  # share of the words that are some class's
OWN = 0.8  # share of those that are certainly of the sentence's own
MEAN, SPREAD, LONGEST = 25, 0.6, 126  # words, log-normal; two more tokens are special


def word(number: int) -> str:
    return f"w{number}"


def write_texts(folder: Path, sizes: dict[str, int], seed: int = 0) -> None:
    """A CSV with the columns text and label for each split."""
    source = np.random.default_rng(seed)
    for split, count in sizes.items():
        with (folder / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["text", "label"])
            for kind in source.permutation(np.arange(count) % len(CLASSES)):
                out.writerow([sentence(source, int(kind)), CLASSES[kind]])


def sentence(source: np.random.Generator, kind: int) -> str:
    length = int(np.clip(source.lognormal(np.log(MEAN) - SPREAD**2 / 2, SPREAD), 3, LONGEST))
    numbers = frequent(source, length)
    telling = source.random(length) < TELLING
    classes = np.where(source.random(length) < OWN, kind, source.integers(len(CLASSES), size=length))
    keywords = COMMON + len(CLASSES) * source.integers(KEYWORDS, size=length) + classes
    return " ".join(word(n) for n in np.where(telling, keywords, numbers))


def frequent(source: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Word numbers as often as words are: the n-th in about 1/n of the places (Zipf)."""
    return (np.exp(source.random(count) * np.log(WORDS)) - 1).astype(np.int64)
