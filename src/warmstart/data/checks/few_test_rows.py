"""Classes of which the test split has so few rows that what is said of them is hardly more than chance."""

from collections import Counter
from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found, count
from warmstart.data.labels import in_order


@dataclass(frozen=True)
class FewTestRows:
    """Reported: one row more or less right moves the figures of such a class by a fifth and more."""

    fewest: int = 5
    order: int = 30
    moment: str = "splits"

    def look(self, draft: Draft) -> list[Found]:
        labels, splits = draft.values("label"), draft.splits
        rows = [row for row, split in enumerate(splits) if split == "test"]
        numbers = Counter(labels[row] for row in rows)
        few = [name for name in in_order(numbers) if numbers[name] < self.fewest]
        if not few:
            return []
        shown = ", ".join(f"{name[:40]!r} ({count(numbers[name], 'row')})" for name in few[:5])
        what = (
            f"test has fewer than {self.fewest} rows of {count(len(few), 'class', 'classes')}: {shown}"
            f"{' ...' if len(few) > 5 else ''}"
        )
        places = draft.places([row for row in rows if labels[row] in set(few)])
        do = "add test rows before you believe what is said of them"
        return [Found(Finding("few_test_rows", "note", what, do, len(few), places))]


CHECK = FewTestRows
