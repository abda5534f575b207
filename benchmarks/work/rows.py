"""The prepared rows as a plain script reads them: a CSV, class folders, or lines of JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def read_texts(data: str, split: str) -> tuple[list[str], list[int]]:
    """Texts and class numbers of a split."""
    with (Path(data) / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], numbered([row["label"] for row in rows])


def read_photos(data: str, split: str) -> tuple[list[str], list[int]]:
    """Paths and class numbers of a split."""
    paths = sorted((Path(data) / split).glob("*/*.jpg"))
    return [str(path) for path in paths], numbered([path.parent.name for path in paths])


def read_chats(data: str, split: str) -> list[dict[str, Any]]:
    """Conversations as chat templates take them."""
    lines = (Path(data) / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def numbered(labels: Sequence[str]) -> list[int]:
    """Class numbers in the order of the class names."""
    place = {name: i for i, name in enumerate(sorted(set(labels)))}
    return [place[label] for label in labels]
