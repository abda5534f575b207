"""Folds made once for all candidates: the same rows ask the same questions of every model."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import generator

FOLDS = 5
FEWEST_FOLDS = 3  # below it the inner choice of a penalty has nothing to learn from
REPEATS = 3  # where there are fewer rows than FEW_ROWS
FEW_ROWS = 200
RESAMPLES = 2000
STRATA = 10  # equally filled ranges of a real-valued target, which each fold has its share of


@dataclass(frozen=True, eq=False)  # holds arrays: the same only as itself
class Folds:
    """A stratified k-fold split, perhaps repeated, and what the bootstrap draws: rows, or whole groups."""

    tests: tuple[
        tuple[NDArray[np.int64], ...], ...
    ]  # repeat -> fold -> its test rows; () if nothing is learned
    units_N: NDArray[np.int64]  # number of the group of each row; without groups the row itself
    seed: int

    @property
    def rows(self) -> int:
        return len(self.units_N)

    def splits(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """(training rows, test rows) of every fold of every repeat."""
        for tests in self.tests:
            for test in tests:
                yield rows_without(self.rows, test), test

    @cached_property
    def resamples_BU(self) -> NDArray[np.float64]:
        """How often each of U units is in each of B bootstrap draws; the same draws for every candidate."""
        random, units = generator(self.seed, "bootstrap"), int(self.units_N.max()) + 1
        draws = (random.integers(units, size=units) for _ in range(RESAMPLES))
        return np.stack([np.bincount(draw, minlength=units).astype(np.float64) for draw in draws])


def rows_without(rows: int, *held: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers 0 .. rows-1 that are in none of `held`, ascending."""
    kept = np.ones(rows, dtype=bool)
    for numbers in held:
        kept[numbers] = False
    return np.flatnonzero(kept)


def make_folds(
    labels_N: NDArray[np.int64],
    groups_N: NDArray[np.generic] | None = None,
    seed: int = 0,
    repeats: int | None = None,
) -> Folds:
    """Split rows into 5 shuffled, stratified folds in which no group straddles two folds.

    Fewer folds (never fewer than 3, if there are 3 rows or groups to share out) where a class has
    fewer rows or groups. A class with fewer rows than folds is absent from some test folds; while
    its only row is tested nothing of it is learned, and a score must still answer (`_probe`
    gives an unseen class Laplace's probability). Repeated 3 times below 200 rows unless `repeats`
    says otherwise. Raises WarmstartError if there are not two rows, or two groups, to share out.
    """
    _, codes_N = np.unique(labels_N, return_inverse=True)
    rows_N = np.arange(len(codes_N))
    units_N = rows_N if groups_N is None else np.unique(groups_N, return_inverse=True)[1]
    units = len(np.unique(units_N))
    if units < 2:
        raise WarmstartError(
            f"{units} {'rows' if groups_N is None else 'groups'} of training data cannot be split into folds",
            "give at least two" + (" rows" if groups_N is None else ", or no column of groups"),
            code="too-few-rows",
        )
    rarest = min(len(np.unique(units_N[codes_N == c])) for c in np.unique(codes_N))
    folds = min(units, max(FEWEST_FOLDS, min(FOLDS, rarest)))
    times = repeats or (REPEATS if len(codes_N) < FEW_ROWS else 1)
    deal = _deal_rows if groups_N is None else _deal_groups
    dealt = (deal(codes_N, units_N, folds, generator(seed, "folds", r)) for r in range(times))
    tests = tuple(tuple(np.flatnonzero(fold_N == k) for k in range(folds)) for fold_N in dealt)
    return Folds(tests, units_N.astype(np.int64), seed)


def number_folds(
    targets_N: NDArray[np.floating],
    groups_N: NDArray[np.generic] | None = None,
    seed: int = 0,
    repeats: int | None = None,
) -> Folds:
    """The same for real-valued targets: every fold has its share of small, middling and large ones."""
    return make_folds(strata(targets_N), groups_N, seed, repeats)


def strata(targets_N: NDArray[np.floating]) -> NDArray[np.int64]:
    """A number for each row: at most 10 ranges of targets, equally filled, of no fewer rows than folds."""
    rows = len(targets_N)
    count = max(1, min(STRATA, rows // FOLDS))
    place_N = np.empty(rows, dtype=np.int64)
    place_N[np.argsort(targets_N, kind="stable")] = np.arange(rows) * count // max(rows, 1)
    return place_N


def untrained(rows: int, groups_N: NDArray[np.generic] | None = None, seed: int = 0) -> Folds:
    """Rows, or groups of them, that a bootstrap draws; there are no folds, because nothing is learned."""
    units_N = np.arange(rows) if groups_N is None else np.unique(groups_N, return_inverse=True)[1]
    return Folds((), units_N.astype(np.int64), seed)


def _deal_rows(
    codes_N: NDArray[np.int64], units_N: NDArray[np.int64], folds: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Fold of every row: shuffled rows, class after class, dealt round like cards.

    Folds differ by at most one row in size, and by at most one row of any class.
    """
    shuffled = random.permutation(len(codes_N))
    by_class = shuffled[np.argsort(codes_N[shuffled], kind="stable")]
    fold_N = np.empty(len(codes_N), dtype=np.int64)
    fold_N[by_class] = np.arange(len(codes_N)) % folds
    return fold_N


def _deal_groups(
    codes_N: NDArray[np.int64], units_N: NDArray[np.int64], folds: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Fold of every row: whole groups, large ones first, each to the fold that most lacks its classes.

    Greedy descent on the sum over classes and folds of the squared share of the class in the fold.
    """
    counts_GC = np.zeros((units_N.max() + 1, codes_N.max() + 1))
    np.add.at(counts_GC, (units_N, codes_N), 1.0)
    shuffled = random.permutation(len(counts_GC))
    large_first = shuffled[np.argsort(-counts_GC[shuffled].sum(1), kind="stable")]
    squares_C = counts_GC.sum(0) ** 2
    held_KC = np.zeros((folds, counts_GC.shape[1]))
    fold_G = np.empty(len(counts_GC), dtype=np.int64)
    for group in large_first:
        crowding_K = held_KC @ (counts_GC[group] / squares_C)
        fold_G[group] = np.lexsort((held_KC.sum(1), crowding_K))[0]
        held_KC[fold_G[group]] += counts_GC[group]
    return fold_G[units_N]
