"""Classes of very different size: what is learned of the small ones hardly shows in the accuracy."""

from collections import Counter
from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.checks.lopsided import Lopsided
from warmstart.data.draft import Draft, Found
from warmstart.data.labels import in_order


@dataclass(frozen=True)
class Imbalance:
    """Reported where the largest class has so many times the training rows of the smallest.

    Not where one class has nearly all rows: that is said already.
    """

    times: float = 10.0
    order: int = 50
    moment: str = "splits"

    def look(self, draft: Draft) -> list[Found]:
        rows = zip(draft.values("label"), draft.splits, strict=True)
        numbers = Counter(label for label, split in rows if split == "train")
        names = in_order(numbers)
        if not names or Lopsided().look(draft):
            return []
        large, small = max(names, key=lambda n: numbers[n]), min(names, key=lambda n: numbers[n])
        if numbers[large] < self.times * numbers[small]:
            return []
        what = (
            f"{large[:40]!r} has {numbers[large] / numbers[small]:.0f} times the training rows of "
            f"{small[:40]!r} ({numbers[large]:,} and {numbers[small]:,})"
        )
        do = "look at macro-F1 and at each class; add rows of the small ones"
        few = sum(numbers[large] >= self.times * numbers[name] for name in names)
        return [Found(Finding("imbalance", "note", what, do, few))]


CHECK = Imbalance
