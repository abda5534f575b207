"""Which rows teach, choose and prove in a cell: nested, so that a small cell is a part of a large one."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from warmstart.base.seeds import generator
from warmstart.models.card import ZOO, zoo_names
from warmstart.process import digits

ASSETS = Path(os.environ.get("WARMSTART_ASSETS", "../shared/assets"))
CHOOSING = 4  # training rows for each row that chooses
MOST_PROVING = 800  # rows outside the pool
LEFT_OUT = 4  # times the rows of a cell: of what larger cells learn from, so much is asked about
PICTURES = (".jpg", ".jpeg", ".png")
MOBILENETS = (
    "mobilenet_v1_0.25_128",
    "mobilenet_v1_0.5_160",
    "mobilenet_v1_0.75_224",
    "deeplabv3_mobilenet_v2_dm05_voc",
    "deeplabv3_mobilenet_v2_voc",
    "mobilenet_v2_1.0_224",
    "mobilenet_v2_inat_bird",
    "mobilenet_v2_inat_insect",
)
ENCODERS = ("minilm-l2-small", "all-MiniLM-L6-v2", "stories260k_llama", "babyllama105_char")
DIGITS = "digits"  # scikit-learn's scans, written as pictures; from the models that come with the package
BANKING_CLASSES = 12  # of 77: the first by name, which are mostly about cards and so are near each other


@dataclass(frozen=True)
class World:
    """A labelled set: where it lies, the largest cell, and what may be started from."""

    name: str
    folder: str
    most: int  # training rows of the largest cell
    models: tuple[str, ...]
    kind: str  # "text" or "image"
    files: tuple[str, str] = ("train.csv", "test.csv")
    classes: int = 0  # only the first so many; 0: all


WORLDS = (
    World("pollen_bees", "pollen_bees", 200, MOBILENETS, "image"),
    World("trashnet", "trashnet", 400, MOBILENETS, "image"),
    World("sign_digits", "sign_digits", 400, MOBILENETS, "image"),
    World("mnist_small", "mnist_small", 400, MOBILENETS, "image"),
    World("digits", DIGITS, 800, tuple(f"{ZOO}{name}" for name in zoo_names()), "image"),
    World("amazon", "sentiment_sentences", 400, ENCODERS, "text", ("amazon_train.csv", "amazon_test.csv")),
    World("yelp", "sentiment_sentences", 400, ENCODERS, "text", ("yelp_train.csv", "yelp_test.csv")),
    World("sms_spam", "sms_spam", 2000, ENCODERS, "text"),
    World("snips_intents", "snips_intents", 2000, ENCODERS, "text"),
    World("banking12", "banking77", 1000, ENCODERS, "text", classes=BANKING_CLASSES),
)


def world(name: str) -> World:
    return next(w for w in WORLDS if w.name == name)


@dataclass(frozen=True)
class Item:
    """A labelled row: the text, or the path of the picture."""

    value: str
    label: str


def items(chosen: World, split: str) -> list[Item]:
    """The rows of the published split, in a fixed order."""
    made = chosen.folder == DIGITS
    place = digits(Path("runs/data"), per_class=100, seed=0) if made else ASSETS / "data" / chosen.folder
    if chosen.kind == "text":
        with (place / chosen.files[split == "test"]).open(encoding="utf-8", newline="") as file:
            found = [Item(row["text"], row["label"]) for row in csv.DictReader(file)]
    else:
        paths = sorted(p for p in (place / split).glob("*/*") if p.suffix.lower() in PICTURES)
        found = [Item(str(path.resolve()), path.parent.name) for path in paths]
    kept = sorted({item.label for item in found})[: chosen.classes or None]
    return [item for item in found if item.label in kept]


@dataclass(frozen=True)
class Deal:
    """The rows of a world in the order of a seed: the pool, of which a cell takes a part, and the rest."""

    teaching: tuple[Item, ...]  # a cell of n rows learns from the first n
    choosing: tuple[Item, ...]  # and chooses on the first n / 4 of these
    proving: tuple[Item, ...]  # in no cell of this seed learned from or chosen on


def deal(chosen: World, seed: int) -> Deal:
    """The published test rows prove, and with them what the largest cell leaves of the training rows."""
    found = items(chosen, "train")
    order = generator(seed, "study", chosen.name).permutation(len(found))
    shuffled = [found[i] for i in order]
    pool = chosen.most + chosen.most // CHOOSING
    spare = sorted(shuffled[pool:], key=lambda item: (item.value, item.label))
    rest = items(chosen, "test")
    if len(rest) < MOST_PROVING:
        rest += spare[: MOST_PROVING - len(rest)]
    elif len(rest) > MOST_PROVING:
        rest = [rest[i] for i in sorted(generator(0, "proving").permutation(len(rest))[:MOST_PROVING])]
    return Deal(tuple(shuffled[: chosen.most]), tuple(shuffled[chosen.most : pool]), tuple(rest))


PLACES = ("teach", "choose", "prove")


def write_cell(chosen: World, rows: int, seed: int, path: Path) -> None:
    """rows.csv of a cell; its test split has the proving rows and, of the pool, those of cells to 4 n.

    The column `place` says which they are: "teach-17" is the row that a cell of 18 rows would learn from, so
    that the model of a small cell can be judged on the rows that a larger one would have had.
    """
    dealt = deal(chosen, seed)
    limits = {"teach": rows, "choose": rows // CHOOSING, "prove": 0}
    splits = {"teach": "train", "choose": "validation"}
    parts = dict(zip(PLACES, (dealt.teaching, dealt.choosing, dealt.proving), strict=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    with draft.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([chosen.kind, "label", "split", "place"])
        for name, part in parts.items():
            most = len(part) if name == "prove" else LEFT_OUT * limits[name]
            for number, item in enumerate(part[:most]):
                split = splits[name] if number < limits[name] else "test"
                table.writerow([item.value, item.label, split, f"{name}-{number}"])
    draft.replace(path)


class Point(Protocol):
    """Which rows, at which size."""

    @property
    def rows(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def pixels(self) -> int: ...


@dataclass(frozen=True)
class Cell:
    """One point of the grid."""

    world: str
    model: str
    rows: int
    seed: int
    pixels: int = 0

    @property
    def name(self) -> str:
        return f"{self.world}--{self.model}--{self.rows}--{self.seed}"


def grid(
    worlds: Sequence[str], models: Sequence[str], rows: Sequence[int], seeds: Sequence[int], pixels: int
) -> Iterator[Cell]:
    """Cells in the order in which a study that is broken off has told most: seeds last, then sizes."""
    for seed in seeds:
        for size in rows:
            for name in worlds:
                chosen = world(name)
                for model in chosen.models if size <= chosen.most else ():
                    if not models or model in models:
                        yield Cell(name, model, size, seed, pixels if chosen.kind == "image" else 0)
