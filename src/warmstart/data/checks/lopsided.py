"""One class that nearly all rows have: always naming it is right nearly always, and worth nothing."""

from collections import Counter
from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found


@dataclass(frozen=True)
class Lopsided:
    """Reported from more than this share of all rows on."""

    share: float = 0.9
    order: int = 40
    moment: str = "splits"

    def look(self, draft: Draft) -> list[Found]:
        (name, number), *_ = Counter(draft.values("label")).most_common(1)
        if number <= self.share * len(draft):
            return []
        what = (
            f"{number / len(draft):.1%} of the rows are {name[:40]!r}: so often is right who always says so"
        )
        do = "look at macro-F1 and at each class; add rows of the others"
        return [Found(Finding("lopsided", "warning", what, do, number))]


CHECK = Lopsided
