"""Finished runs with known answers: who answers which row right is given, so the right verdict is known."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Phase, Plan, Predictions, Run

LABELS = ("bird", "cat", "dog")
FIRST = {"train": 0, "validation": 10_000, "test": 20_000}
TRAINED = {"base": 0, "frozen": 1_000, "lora": 5_000, "full": 90_000, "gradual": 90_000, "scratch": 90_000}
Right = NDArray[np.bool_]


def truth_of(n: int) -> NDArray[np.int64]:
    """Three classes, equally often."""
    return np.arange(n) % len(LABELS)


def predictions(right: Right, split: str = "test", sure: float = 0.9) -> Predictions:
    """Says the true class with probability `sure` where right, else the next class; the rest is shared."""
    truth = truth_of(len(right))
    said = np.where(right, truth, (truth + 1) % len(LABELS))
    probabilities = np.full((len(right), len(LABELS)), (1 - sure) / (len(LABELS) - 1))
    probabilities[np.arange(len(right)), said] = sure
    return Predictions(np.arange(len(right)) + FIRST[split], truth, probabilities)


def run(
    name: str, right: Mapping[str, Right], sure: float = 0.9, history: tuple[dict[str, Any], ...] = ()
) -> Run:
    """A run whose role follows from its name, the part before any "-"."""
    role = name.split("-")[0]
    phases = () if role == "base" else (Phase(("*",), 1e-3, 2),)
    fresh = role == "scratch"
    plan = Plan(role, None if fresh else "zoo:letters", "image_classification", phases, pretrained=not fresh)
    said = {split: predictions(is_right, split, sure) for split, is_right in right.items()}
    return Run(name, plan, said, 1.5, 90_000, TRAINED[role], 40, history)


def first(n: int, share: float) -> Right:
    """The first rows are right, that share of n; so the better of two runs is right wherever the other is."""
    return np.arange(n) < round(n * share)


def world(
    shares: Mapping[str, float], test: int = 600, validation: int = 300, sure: float = 0.9
) -> dict[str, Run]:
    """Runs with these accuracies on every split."""
    sizes = {"train": 300, "validation": validation, "test": test}
    return {
        name: run(name, {split: first(n, share) for split, n in sizes.items()}, sure)
        for name, share in shares.items()
    }


def alike(
    rng: np.random.Generator, n: int, accuracies: Mapping[str, float], shared: float
) -> dict[str, Right]:
    """Random answers of runs that find the same rows hard: they use the same draw on a share of the rows."""
    common, mixed = rng.random(n), {}
    for name, accuracy in accuracies.items():
        mixed[name] = np.where(rng.random(n) < shared, common, rng.random(n)) < accuracy
    return mixed


def pair_chances(n: int, p_won: float, p_lost: float) -> Iterator[tuple[tuple[int, int], float]]:
    """Every ((won, lost), its chance) of n rows, each won with chance p_won and lost with p_lost."""
    from scipy.stats import multinomial

    pairs = [(w, v) for w, v in product(range(n + 1), repeat=2) if w + v <= n]
    counts = [(w, v, n - w - v) for w, v in pairs]
    return zip(pairs, multinomial.pmf(counts, n, (p_won, p_lost, 1 - p_won - p_lost)), strict=True)
