"""Classes with too few rows to teach, choose and prove; and data with one class only."""

from collections import Counter
from dataclasses import dataclass

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found, count
from warmstart.data.labels import in_order
from warmstart.data.near import components


@dataclass(frozen=True)
class SmallClasses:
    """A class needs a row for every split that is still to be made; copies of one row count once."""

    order: int = 30
    moment: str = "near"

    def look(self, draft: Draft) -> list[Found]:
        labels = draft.values("label")
        names = in_order(labels)
        if len(names) < 2:
            raise WarmstartError(
                f"{draft.source}: all {len(draft):,} rows have the label {names[0]!r}",
                "add rows of another class, or name another column: --label COLUMN",
                "one-class",
            )
        if "test" in draft.brought:
            return []  # the user has decided what proves; classes missing in a split are another check's
        needed = 2 if "validation" in draft.brought else 3
        small = _small(draft, needed)
        if not small:
            return []
        shown = ", ".join(f"{name!r} ({count(number, 'row')})" for name, number in list(small.items())[:5])
        if len(names) - len(small) < 2:
            raise WarmstartError(
                f"{draft.source}: {len(small)} of {len(names)} classes with fewer than {needed} "
                f"different rows: {shown}",
                f"add rows, so that each class has {needed} or more; or bring a test split: --test FILE",
                "class-too-small",
            )
        rows = [row for row, label in enumerate(labels) if label in small]
        what = f"{count(len(small), 'class', 'classes')} with fewer than {needed} different rows: {shown}"
        do = f"dropped; add rows to use {'it' if len(small) == 1 else 'them'}"
        return [
            Found(Finding("small_classes", "warning", what, do, len(rows), draft.places(rows)), tuple(rows))
        ]


def _small(draft: Draft, needed: int) -> dict[str, int]:
    """Classes with fewer than `needed` clusters of rows in the pool -> their rows."""
    pool, labels = draft.pool, draft.values("label")
    cluster = components(len(draft), draft.near_rows()).tolist()
    units = Counter(
        label for _, label in {(cluster[row], labels[row]) for row in range(len(draft)) if pool[row]}
    )
    rows = Counter(labels)
    return {name: rows[name] for name in in_order(rows) if units[name] < needed}


CHECK = SmallClasses
