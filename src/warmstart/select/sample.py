"""A stratified sample of the training rows: enough to rank candidates, few enough to be quick."""

import numpy as np
from numpy.typing import NDArray

from warmstart.base.seeds import generator

LIMIT = 2000
PER_CLASS = 20  # rows that a rare class keeps, if it has them and the limit has room


def sample_rows(
    labels_N: NDArray[np.int64],
    groups_N: NDArray[np.generic] | None = None,
    limit: int = LIMIT,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Numbers (ascending) of at most `limit` rows: in proportion, but 20 rows of each class that has them.

    Where 20 of each are more than the limit, every class has the same smaller minimum. Rows of many groups
    are preferred to many rows of one group: no group gives its second row before each has given its first.
    All rows are returned if they are no more than the limit.
    """
    rows = len(labels_N)
    if rows <= limit:
        return np.arange(rows)
    _, codes_N, counts_C = np.unique(labels_N, return_inverse=True, return_counts=True)
    units_N = np.arange(rows) if groups_N is None else np.unique(groups_N, return_inverse=True)[1]
    random = generator(seed, "sample")
    taken = []
    for code, quota in enumerate(_quotas(counts_C, limit)):
        shuffled = random.permutation(np.flatnonzero(codes_N == code))
        by_turn = shuffled[np.argsort(_turns(units_N[shuffled]), kind="stable")]
        taken.append(by_turn[:quota])
    return np.sort(np.concatenate(taken))


def _quotas(counts_C: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Rows to take of each class, `limit` in all: the minimum, and the rest by largest remainders."""
    least_C = np.minimum(counts_C, min(PER_CLASS, limit // len(counts_C)))
    spare, others_C = limit - least_C.sum(), counts_C - least_C
    share_C = spare * others_C / others_C.sum()
    quotas_C: NDArray[np.int64] = least_C + share_C.astype(np.int64)
    largest_first = np.argsort(-(share_C % 1), kind="stable")
    quotas_C[largest_first[: limit - quotas_C.sum()]] += 1
    return quotas_C


def _turns(units_M: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many earlier entries are equal to each entry: 7 7 3 7 -> 0 1 0 2."""
    order = np.argsort(units_M, kind="stable")
    ordered = units_M[order]
    turns_M = np.empty(len(units_M), dtype=np.int64)
    turns_M[order] = np.arange(len(units_M)) - np.searchsorted(ordered, ordered)
    return turns_M
