"""Worlds whose learning curve is known: what share of true scores lies in the interval, and how wide it is.

    python tests/decide/curve_worlds.py 250 11     # 250 curves of each world, seed 11

Row by row: each held-out row is as hard for every training, up to a correlation; trainings of different seeds
differ. Three worlds follow a form that is fitted, two follow none, and one is flat.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from warmstart.base.types import Measure
from warmstart.decide.curves.curve import Curve, Prediction, Rows
from warmstart.decide.curves.falls import ALPHA, largest_fall
from warmstart.decide.curves.fit import DRAWS, fit
from warmstart.decide.curves.noise import seen
from warmstart.decide.curves.points import Point
from warmstart.decide.curves.refusal import Refusal

GRIDS = ((50, 100, 200), (50, 100, 200, 400), (50, 100, 200, 400, 700, 1000))
TEST_ROWS = (200, 500, 2000)
SEEDS = (1, 3)
SEED_NOISE = (0.005, 0.01, 0.02)
HORIZONS = (1, 2, 4)
Errors = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class World:
    """One drawn curve, and how it was looked at."""

    errors: Errors
    classes: int
    sizes: tuple[int, ...]
    easy_N: np.ndarray  # how easy each held-out row is
    likeness: float  # how much of a row's answer that decides
    noise: float  # sd between trainings
    points: tuple[Point, ...] = ()

    def score(self, n: float) -> float:
        return float(1 - self.errors(np.array([float(n)]))[0])

    def training(self, n: int, seed: int, rng: np.random.Generator) -> Point:
        """One training on n rows, measured on the held-out rows."""
        score = np.clip(self.score(n) + self.noise * rng.standard_normal(), 1e-6, 1 - 1e-6)
        rows = len(self.easy_N)
        luck_N = np.sqrt(1 - self.likeness) * rng.standard_normal(rows)
        right_N = np.sqrt(self.likeness) * self.easy_N + luck_N < ndtri(score)
        return Point(n, int(right_N.sum()), rows, seed)


def pow3(rng: np.random.Generator, chance: float) -> Errors:
    start, b = chance * rng.uniform(0.15, 0.95), rng.uniform(0.1, 1.2)
    c = start * rng.uniform(0, 0.9)
    return lambda n: c + (start - c) * (n / 50) ** -b


def pow4(rng: np.random.Generator, chance: float) -> Errors:
    start, b, d = chance * rng.uniform(0.15, 0.95), rng.uniform(0.1, 1.5), 50 * np.exp(rng.uniform(-2, 2))
    c = start * rng.uniform(0, 0.9)
    return lambda n: c + (start - c) * ((n + d) / (50 + d)) ** -b


def mmf(rng: np.random.Generator, chance: float) -> Errors:
    start, half, d = (
        chance * rng.uniform(0.7, 1),
        np.exp(rng.uniform(np.log(10), np.log(800))),
        rng.uniform(0.4, 1.6),
    )
    c = start * rng.uniform(0, 0.6)
    return lambda n: c + (start - c) / (1 + (n / half) ** d)


def exponential(rng: np.random.Generator, chance: float) -> Errors:
    start, scale, g = (
        chance * rng.uniform(0.7, 1),
        np.exp(rng.uniform(np.log(30), np.log(1500))),
        rng.uniform(0.5, 1),
    )
    c = start * rng.uniform(0, 0.6)
    return lambda n: c + (start - c) * np.exp(-((n / scale) ** g))


def piecewise(rng: np.random.Generator, chance: float) -> Errors:
    """Two power laws that meet, as Jain et al. (2023) see at the few-shot end."""
    start, at = chance * rng.uniform(0.15, 0.95), np.exp(rng.uniform(np.log(60), np.log(2000)))
    first, second = rng.uniform(0.05, 0.9, 2)
    return lambda n: start * np.minimum(n / 50, at / 50) ** -first * np.maximum(n / at, 1) ** -second


def flat(rng: np.random.Generator, chance: float) -> Errors:
    start = chance * rng.uniform(0.1, 0.9)
    return lambda n: np.full(len(n), start)


WORLDS: Mapping[str, Callable[[np.random.Generator, float], Errors]] = {
    "pow3": pow3,
    "pow4": pow4,
    "mmf": mmf,
    "exponential": exponential,
    "piecewise": piecewise,
}


def world(
    draw: Callable[[np.random.Generator, float], Errors],
    rng: np.random.Generator,
    *,
    sizes: tuple[int, ...] | None = None,
    rows: int | None = None,
    seeds: int | None = None,
    noise: float | None = None,
) -> World:
    """A curve, and points measured on it; what is not given is drawn."""
    classes = int(rng.choice((2, 4, 10)))
    sizes = sizes or GRIDS[rng.integers(len(GRIDS))]
    rows, seeds = rows or int(rng.choice(TEST_ROWS)), seeds or int(rng.choice(SEEDS))
    noise = float(rng.choice(SEED_NOISE)) if noise is None else noise
    errors, likeness = draw(rng, 1 - 1 / classes), rng.uniform(0.5, 0.95)
    bare = World(errors, classes, sizes, rng.standard_normal(rows), likeness, noise)
    points = (bare.training(n, seed, rng) for n in sizes for seed in range(seeds))
    return replace(bare, points=tuple(points))


@dataclass(frozen=True)
class Row:
    """One prediction of one curve beside the truth."""

    world: str
    sizes: int
    horizon: int
    inside: bool
    inside_sure: bool
    seen_inside: bool  # one more training, measured on the same rows, in the 90 % interval for that
    gain_inside: bool  # of worth()
    needed_inside: bool  # of needed(), for the true score there
    width: float
    off: float


def simulate(
    name: str, curves: int, *, seed: int = 0, refusals: Counter | None = None, draws: int = DRAWS, **look
) -> Iterator[Row]:
    """Predictions at 1, 2 and 4 times the largest size of that many curves of a world."""
    rng = np.random.default_rng([seed, len(name), *name.encode()])
    draw = flat if name == "flat" else WORLDS[name]
    for _ in range(curves):
        w = world(draw, rng, **look)
        curve = fit(w.points, classes=w.classes, floor=1 / w.classes, draws=draws)
        if not isinstance(curve, Curve):
            if refusals is not None:
                refusals[curve.code] += 1
            continue
        for times in HORIZONS:
            yield beside_truth(name, w, curve, times, rng)


def beside_truth(name: str, w: World, curve: Curve, times: int, rng: np.random.Generator) -> Row:
    n = times * w.sizes[-1]
    predicted, again = curve.at(n), curve.at(n, trainings=1, same_rows=True)
    assert isinstance(predicted, Prediction) and isinstance(again, Prediction)
    true, likely, sure = w.score(n), predicted.likely, predicted.sure
    measured = w.training(n, 99, rng).score
    return Row(
        world=name,
        sizes=len(w.sizes),
        horizon=times,
        inside=likely.low <= true <= likely.high,
        inside_sure=sure.low <= true <= sure.high,
        seen_inside=again.likely.low <= measured <= again.likely.high,
        gain_inside=gain_inside(w, curve, n),
        needed_inside=holds(curve.needed(true), n),
        width=likely.high - likely.low,
        off=likely.value - true,
    )


def gain_inside(w: World, curve: Curve, n: int) -> bool:
    worth = curve.worth(n - curve.largest)
    assert isinstance(worth, Measure)
    return worth.low - 1e-9 <= w.score(n) - w.score(curve.largest) <= worth.high + 1e-9


def holds(answer: Rows | Refusal, true: float) -> bool:
    """Is the truth in the interval? A refusal says that it is beyond the horizon, which here is never so."""
    if isinstance(answer, Refusal):
        return False
    return answer.low <= true * (1 + 1e-9) and (answer.high is None or true <= answer.high * (1 + 1e-9))


def times_inside(name: str, curves: int, *, seed: int = 0, draws: int = DRAWS) -> tuple[float, float]:
    """How often times() holds a known ratio of two curves, and how often it answers."""
    rng = np.random.default_rng([seed, 7, *name.encode()])
    inside = []
    for _ in range(curves):
        ours = world(WORLDS[name], rng)
        ratio = float(np.exp(rng.uniform(0, np.log(6))))
        slower = replace(ours, errors=lambda n, w=ours, r=ratio: w.errors(n / r))
        again = tuple(slower.training(p.n, p.seed, rng) for p in ours.points)
        fits = [fit(p, classes=ours.classes, draws=draws) for p in (ours.points, again)]
        if all(isinstance(f, Curve) for f in fits):
            answer = fits[0].times(fits[1], ours.score(ours.sizes[-1] * rng.uniform(0.5, 1.5)))
            inside += [] if isinstance(answer, Refusal) else [holds(answer, ratio)]
    return float(np.mean(inside)), len(inside) / curves


def refusal_rate(
    draw: Callable[[np.random.Generator, float], Errors], curves: int, *, seed: int = 0, **look
) -> float:
    """The share of curves that are said to fall."""
    rng = np.random.default_rng([seed, curves])
    worlds = (world(draw, rng, **look) for _ in range(curves))
    return float(np.mean([largest_fall(seen(w.points, True)).p < ALPHA for w in worlds]))


def falling(drop: float) -> Callable[[np.random.Generator, float], Errors]:
    """A curve that rises and then loses `drop` of its score at each doubling from 200 rows on."""
    return lambda rng, chance: lambda n: 0.15 + 10 / n + drop * np.maximum(0, np.log2(n / 200))


def table(rows: list[Row], title: str) -> None:
    for times in HORIZONS:
        here = [r for r in rows if r.horizon == times]
        inside, sure = np.mean([r.inside for r in here]), np.mean([r.inside_sure for r in here])
        width, off = np.median([r.width for r in here]), np.median([abs(r.off) for r in here])
        gain, needed = np.mean([r.gain_inside for r in here]), np.mean([r.needed_inside for r in here])
        measured = np.mean([r.seen_inside for r in here])
        bias = np.mean([r.off for r in here])
        print(
            f"{title:24} {times}x  n {len(here):5}  in 90% {inside:.3f}  in 95% {sure:.3f}  "
            f"measured {measured:.3f}  gain {gain:.3f}  needed {needed:.3f}  "
            f"width {100 * width:5.1f}  |off| {100 * off:4.1f}  bias {100 * bias:+.1f}"
        )


def main(curves: int, seed: int) -> None:
    every, refusals = [], Counter()
    for name in WORLDS:
        rows = list(simulate(name, curves, seed=seed, refusals=refusals))
        table(rows, name)
        every += rows
    table(every, "all")
    for sizes in (3, 4, 6):
        table([r for r in every if r.sizes == sizes], f"all, {sizes} sizes")
    print("refused of", curves * len(WORLDS), dict(refusals))
    for name in WORLDS:
        inside, answered = times_inside(name, curves // 3, seed=seed)
        print(f"{name:24} times() holds the ratio {inside:.3f}, answered {answered:.2f}")
    for noise in SEED_NOISE:
        rates = {k: refusal_rate(flat, 2 * curves, noise=noise, seeds=k) for k in SEEDS}
        print(
            f"said to fall, flat, seed noise {noise}:", {f"{k} seeds": f"{r:.3f}" for k, r in rates.items()}
        )
    for drop in (0.02, 0.05, 0.1):
        rate = refusal_rate(falling(drop), curves, sizes=GRIDS[2])
        print(f"said to fall, losing {drop} a doubling from 200 to 1000 rows: {rate:.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
