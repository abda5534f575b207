"""Is the smallest detectable difference what it says? Predictions of that true difference, judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from warmstart.base.types import Predictions
from warmstart.evaluate.compare import Sample, detectable, metrics, samples
from warmstart.evaluate.verdict import beats

SIMULATIONS = 1000
PRINTED = 100  # of which the mean is taken as the true difference, four times over
Pair = tuple[Sample, Sample]
Draw = Callable[[np.random.Generator, int, float], Pair]


def pair(metric: str, right: Mapping[str, np.ndarray], sure: Mapping[str, np.ndarray], seed: int) -> Pair:
    """Two runs of two classes, who answer these rows right and give their truth that probability."""
    said = {}
    for name, chance_N in sure.items():
        both_N2 = np.stack([chance_N, 1 - chance_N], 1)
        truth_N = np.zeros(len(chance_N), np.int64)
        flip_N = right[name] != (chance_N > 0.5)
        both_N2[flip_N] = both_N2[flip_N][:, ::-1]
        said[name] = Predictions(np.arange(len(truth_N)), truth_N, both_N2)
    found = samples(said, {metric: metrics()[metric]}, seed)
    return found["ours", metric], found["theirs", metric]


def accuracies(shared: float) -> Draw:
    """Runs that find the same rows hard, on this share of them."""

    def draw(rng: np.random.Generator, n: int, gain: float) -> Pair:
        hard_N, sure_N = rng.random(n), np.full(n, 0.9)
        right = {
            name: np.where(rng.random(n) < shared, hard_N, rng.random(n)) < share
            for name, share in (("ours", 0.75 + gain), ("theirs", 0.75))
        }
        return pair("accuracy", right, {"ours": sure_N, "theirs": sure_N}, int(rng.integers(1 << 30)))

    return draw


def losses(rng: np.random.Generator, n: int, gain: float) -> Pair:
    """Skewed losses of the same rows, each run with noise of its own; ours is lower by the gain."""
    common_N = rng.gamma(0.7, 0.6, n)
    factors = {"ours": 1 - gain / 0.42, "theirs": 1.0}
    sure = {
        name: np.exp(-common_N * factor * rng.lognormal(-0.045, 0.3, n)) for name, factor in factors.items()
    }
    right = {name: chance_N > 0.5 for name, chance_N in sure.items()}
    return pair("log_loss", right, sure, int(rng.integers(1 << 30)))


SETTINGS: tuple[tuple[str, int, Draw], ...] = (
    ("accuracy", 150, accuracies(0.5)),
    ("accuracy", 600, accuracies(0.8)),
    ("log_loss", 150, losses),
    ("log_loss", 600, losses),
)


def powers(simulations: int = SIMULATIONS) -> list[dict[str, float | str]]:
    """For each setting: what is printed on average, and how often that difference is shown."""
    return [power(metric, rows, draw, simulations) for metric, rows, draw in SETTINGS]


def power(metric: str, rows: int, draw: Draw, simulations: int) -> dict[str, float | str]:
    rng, gain = np.random.default_rng(0), 0.0
    for _ in range(4):  # runs that differ more also disagree more, so that what is printed hangs on the truth
        gain = float(np.mean([detectable(*draw(rng, rows, gain)) for _ in range(PRINTED)]))
    shown = [beats(*draw(rng, rows, gain)) for _ in range(simulations)]
    return {"metric": metric, "rows": rows, "detectable": gain, "power": float(np.mean(shown))}
