"""Classes that a split does not have."""

from collections import Counter
from dataclasses import dataclass

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found, count, quoted
from warmstart.data.labels import in_order


@dataclass(frozen=True)
class MissingClasses:
    """Reported: a class that train lacks cannot be learned, one that test lacks cannot be proved."""

    order: int = 10
    moment: str = "splits"

    def look(self, draft: Draft) -> list[Found]:
        labels, splits = draft.values("label"), draft.splits
        numbers = Counter(zip(splits, labels, strict=True))
        names = in_order(labels)
        if sum(numbers["train", name] > 0 for name in names) < 2:
            raise WarmstartError(
                f"{draft.source}: the training rows have fewer than 2 of the {len(names)} classes",
                "add training rows of the other classes",
                "one-class",
            )
        found = []
        for split, consequence in (
            ("train", "their rows in the other splits will be wrong: add training rows"),
            ("validation", "nothing is chosen with them in view"),
            ("test", "the verdict says nothing about them"),
        ):
            missing = [name for name in names if not numbers[split, name]]
            if missing:
                rows = [row for row, label in enumerate(labels) if label in set(missing)]
                what = f"{split} has no row of {count(len(missing), 'class', 'classes')}: {quoted(missing)}"
                finding = Finding(
                    "missing_classes", "warning", what, consequence, len(missing), draft.places(rows)
                )
                found.append(Found(finding))
        return found


CHECK = MissingClasses
