"""What is tuned to what, and which rows are to be remembered."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.decisions.worlds import ASSETS, PICTURES
from warmstart.base.seeds import generator

NETWORKS = ("mobilenet_v1_0.25_128", "mobilenet_v1_0.5_160")
PAIRS = (
    ("trashnet", "sign_digits"),
    ("sign_digits", "trashnet"),
    ("trashnet", "mnist_small"),
    ("sign_digits", "mnist_small"),
)
OTHERS = ("pollen_bees", "mnist_small", "trashnet", "sign_digits")  # pictures that a base answers itself
ZOO = ("letters", "textures", "shuffled")
LABELS, ANSWERS, OWN = "labels", "answers", "zoo"
PER_CLASS, CHOOSING = 20, 8  # rows of the new task that teach and choose, of each class
DRAWN = 60  # pictures of a class of the zoo's own that are remembered


@dataclass(frozen=True)
class Case:
    """A network that knows one task is tuned to another."""

    kind: str  # LABELS, ANSWERS or OWN
    network: str
    old: str
    new: str
    seed: int = 0

    @property
    def name(self) -> str:
        return f"{self.kind}--{self.network}--{self.old}--{self.new}--{self.seed}"


def cases(seeds: Sequence[int] = (0,)) -> Iterator[Case]:
    """Those of few seconds first."""
    for seed in seeds:
        for name in ZOO:
            yield Case(OWN, name, name, "digits", seed)
        for network in NETWORKS:
            for old, new in PAIRS:
                yield Case(LABELS, network, old, new, seed)
            for new in ("trashnet", "sign_digits"):
                yield Case(ANSWERS, network, "imagenet", new, seed)


def pictures(name: str, split: str) -> dict[str, list[Path]]:
    """The pictures of a set by class."""
    found: dict[str, list[Path]] = {}
    for path in sorted((ASSETS / "data" / name / split).glob("*/*")):
        if path.suffix.lower() in PICTURES:
            found.setdefault(path.parent.name, []).append(path.resolve())
    return found


def link(paths: Iterable[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        place = folder / f"{path.parent.name}-{path.name}"
        if not place.exists():
            place.symlink_to(path)


def write_new(case: Case, folder: Path) -> Path:
    """The new task: few rows teach and choose, the published test rows prove."""
    if case.new == "digits":
        from warmstart.process import digits

        return digits(folder, PER_CLASS, case.seed)
    shutil.rmtree(folder, ignore_errors=True)
    for label, paths in pictures(case.new, "train").items():
        drawn = shuffled(paths, case.seed, case.new, label)
        link(drawn[:PER_CLASS], folder / "train" / label)
        link(drawn[PER_CLASS : PER_CLASS + CHOOSING], folder / "validation" / label)
    for label, paths in pictures(case.new, "test").items():
        link(paths, folder / "test" / label)
    return folder


def write_old(case: Case, folder: Path) -> tuple[Path, Path]:
    """Rows that the source learns from, and those that it is to remember, of which it has seen none."""
    shutil.rmtree(folder, ignore_errors=True)
    learned, kept = folder / "learned", folder / "kept"
    for label, paths in pictures(case.old, "train").items():
        drawn = shuffled(paths, case.seed, case.old, label)
        taught = len(drawn) // 3
        link(drawn[: round(0.8 * taught)], learned / "train" / label)
        link(drawn[round(0.8 * taught) : taught], learned / "validation" / label)
        link(drawn[taught:], kept / "train" / label)
    for label, paths in pictures(case.old, "test").items():
        link(paths, kept / "test" / label)
        link(paths, learned / "test" / label)
    return learned, kept


def write_others(case: Case, folder: Path) -> Path:
    """Pictures of sets that are not tuned on, without labels."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in OTHERS:
        if name != case.new:
            every = [
                p for split in ("train", "test") for paths in pictures(name, split).values() for p in paths
            ]
            link(every, folder)
    return folder


def write_zoo(case: Case, folder: Path) -> Path:
    """Pictures of the source that the zoo's network was made on, drawn anew."""
    shutil.rmtree(folder, ignore_errors=True)
    sys.path.append(str(Path(__file__).parents[2] / "scripts"))
    from zoo_pictures import write_pictures

    return write_pictures(case.old, folder, DRAWN, 1000 + case.seed)


def shuffled(paths: Sequence[Path], seed: int, *names: str) -> list[Path]:
    order = generator(seed, "forgetting", *names).permutation(len(paths))
    return [paths[i] for i in order]
