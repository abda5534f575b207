"""Columns that look like groups and are not kept together: rows on one side betray those on the other."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import sqrt
from typing import Any

from warmstart.base.types import Finding
from warmstart.data.columns import Column
from warmstart.data.draft import Draft, Found, count
from warmstart.data.names import flag
from warmstart.data.readers._table import user_columns


@dataclass(frozen=True)
class HiddenGroups:
    """Reported where the other rows of a value tell the label of a row, and values stand on both sides.

    What tells is the most frequent label of the value's other rows. It must be right three standard errors
    more often than the most frequent label of all, and save a quarter of its mistakes. A column that is the
    label under another name is none.
    """

    fewest: int = 5  # values
    each: float = 2.0  # rows of a value, in the mean
    gain: float = 0.25  # share of the mistakes of the most frequent label that knowing the value must save
    errors: float = 3.0  # standard errors
    order: int = 20
    moment: str = "splits"

    def look(self, draft: Draft) -> list[Found]:
        labels, splits = draft.values("label"), draft.splits
        found = []
        for name in user_columns(draft.table):
            column = Column(name, draft.table.column(name))
            if name in draft.roles.values() or not column.is_plain or not self._repeats(column):
                continue
            values = column.text.to_pylist()
            if _one_to_one(values, labels):
                continue
            rows = _straddling(values, splits)
            told, known, most = _foretold(values, labels)
            if rows and known and self._shown(told, known, most):
                found.append(self._found(draft, name, rows, values, told / known, most))
        return found

    def _repeats(self, column: Column) -> bool:
        return column.distinct >= self.fewest and column.filled >= self.each * column.distinct

    def _shown(self, told: int, known: int, most: float) -> bool:
        """Is the label foretold more often than by chance, and by enough?"""
        over = told / known - most
        shown = over >= self.errors * sqrt(most * (1 - most) / known)
        return over > 0 and shown and over >= self.gain * (1 - most)

    def _found(
        self, draft: Draft, name: str, rows: list[int], values: list[Any], right: float, most: float
    ) -> Found:
        both = len({values[row] for row in rows})
        what = (
            f"column {name!r} looks like groups: {count(both, 'value')} on both sides of a split, "
            f"{len(rows):,} rows, and the other rows of a value tell the label of {100 * right:.0f} % of "
            f"the rows, where the most frequent label is right on {100 * most:.0f} %"
        )
        do = f"if rows of one value belong together, keep them so: {flag('group', name)}"
        return Found(Finding("hidden_groups", "warning", what, do, len(rows), draft.places(rows)))


def _one_to_one(values: list[Any], labels: list[str]) -> bool:
    """Is each value one label and each label one value?"""
    pairs = set(zip(values, labels, strict=True))
    return len(pairs) == len(set(values)) == len(set(labels))


def _straddling(values: list[Any], splits: list[str | None]) -> list[int]:
    """Rows whose value is in training and in another split."""
    sides: dict[Any, set[str | None]] = defaultdict(set)
    for value, split in zip(values, splits, strict=True):
        sides[value].add(split)
    both = {v for v, seen in sides.items() if v is not None and "train" in seen and len(seen) > 1}
    return [row for row, value in enumerate(values) if value in both]


def _foretold(values: list[Any], labels: list[str]) -> tuple[int, int, float]:
    """Rows whose label the others of their value foretell, rows with others, share of the first label."""
    inside: dict[Any, Counter[str]] = defaultdict(Counter)
    for value, label in zip(values, labels, strict=True):
        inside[value][label] += 1
    told = known = 0
    all_known: Counter[str] = Counter()
    for value, label in zip(values, labels, strict=True):
        if value is None or inside[value].total() < 2:
            continue
        known += 1
        all_known[label] += 1
        mine = inside[value][label] - 1
        told += all(mine > number for other, number in inside[value].items() if other != label)
    return told, known, all_known.most_common(1)[0][1] / known if known else 0.0


CHECK = HiddenGroups
