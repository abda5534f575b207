"""Fewer rows for train and validation: each class in proportion, from as many different units as possible."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import stream
from warmstart.data.draft import DIGEST, Draft

Stratum = tuple[str, bool]  # class, and is it of the validation rows that the user brought?


def limited(draft: Draft, units: Sequence[int], rows: list[int], limit: int, seed: int) -> set[int]:
    """At most `limit` of `rows`; `units` says for every row of the draft which unit it belongs to.

    Raises WarmstartError for a limit under one row of each class to learn from and one to choose with.
    """
    if limit >= len(rows):
        return set(rows)
    labels, splits, digests = draft.values("label"), draft.splits, draft.column(DIGEST)
    strata: dict[Stratum, list[int]] = defaultdict(list)
    for row in rows:
        strata[labels[row], splits[row] == "validation"].append(row)
    least = 1 if "validation" in draft.brought else 2
    if limit < least * len(strata):
        raise WarmstartError(
            f"a limit of {limit:,} rows is too small for {len({labels[row] for row in rows})} classes",
            f"use --rows {least * len(strata)} or more",
            "limit-too-small",
        )
    numbers = shares({key: len(inside) for key, inside in strata.items()}, limit, least)
    chosen: set[int] = set()
    for key, inside in strata.items():
        by_chance = sorted(inside, key=lambda row: (stream(seed, "limit", digests[row].hex()), row))
        chosen.update(_spread(by_chance, units)[: numbers[key]])
    return chosen


def _spread(rows: list[int], units: Sequence[int]) -> list[int]:
    """The first row of every unit, then the second of every unit, and so on."""
    seen: Counter[int] = Counter()
    turn = {}
    for row in rows:
        turn[row] = seen[units[row]]
        seen[units[row]] += 1
    return sorted(rows, key=lambda row: turn[row])


def shares(sizes: dict[Stratum, int], total: int, least: int) -> dict[Stratum, int]:
    """`total` divided in proportion to `sizes`, but each gets `least` or all it has; largest rest first."""
    whole = sum(sizes.values())
    exact = {key: total * size / whole for key, size in sizes.items()}
    given = {key: min(size, max(least, int(exact[key]))) for key, size in sizes.items()}
    while (left := total - sum(given.values())) != 0:
        step = 1 if left > 0 else -1
        able = [k for k in sizes if (given[k] < sizes[k] if step > 0 else given[k] > min(least, sizes[k]))]
        given[max(able, key=lambda k: (step * (exact[k] - given[k]), k))] += step
    return given
