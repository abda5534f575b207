"""What was read, in the form that every report shows."""

from collections import Counter
from typing import Any

from warmstart.base.result import ClassCount, DataSummary
from warmstart.base.types import Bundle

SHOWN = 80  # characters of a text


def summary(bundle: Bundle) -> DataSummary:
    """Sizes, classes by split, and three training rows, of different classes where there are so many."""
    labels = bundle.rows.column(bundle.roles["label"])
    counts = {
        name: Counter(labels[row] for row in bundle.split(name)) for name in ("train", "validation", "test")
    }
    return DataSummary(
        source=bundle.source,
        rows=len(bundle.rows),
        train=len(bundle.train),
        validation=len(bundle.validation),
        test=len(bundle.test),
        roles=dict(bundle.roles),
        classes=tuple(
            ClassCount(name, **{split: counts[split][name] for split in counts}) for name in bundle.labels
        ),
        sample=tuple(_shown(bundle, row) for row in bundle.rows.take(_telling(bundle, labels))),
        fingerprint=bundle.fingerprint,
    )


def _telling(bundle: Bundle, labels: list[str]) -> list[int]:
    """Three training rows: the first of each class, in the order of the rows."""
    first: dict[str, int] = {}
    for row in bundle.train:
        first.setdefault(labels[row], row)
    rows = [*first.values(), *(row for row in bundle.train if row not in first.values())]
    return rows[:3]


def _shown(bundle: Bundle, row: dict[str, Any]) -> dict[str, str]:
    """A row by role; a text is cut, an image is named by where it came from."""
    cells = {role: "" if row[name] is None else row[name] for role, name in bundle.roles.items()}
    return {role: row["_where"] if role == "image" else shortened(cell) for role, cell in cells.items()}


def shortened(text: str) -> str:
    """On one line, at most 80 characters."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 3] + "..."
