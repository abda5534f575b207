"""Training rows that are nearly the same as another one: what they are worth is what is different."""

from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found
from warmstart.data.near import components

LEAST = 0.05  # share of the training rows from which on it is told


@dataclass(frozen=True)
class EffectiveRows:
    """Looks at the splits, since only what teaches counts; counted are rows beyond the first of a kind."""

    order: int = 60
    moment: str = "splits"

    def look(self, draft: Draft) -> list[Found]:
        train = [row for row, split in enumerate(draft.splits) if split == "train"]
        cluster = components(len(draft), draft.near_rows()).tolist()
        first: dict[int, int] = {}  # cluster -> its first training row
        again = [row for row in train if first.setdefault(cluster[row], row) != row]
        if not train or len(again) < LEAST * len(train):
            return []
        what = (
            f"{len(again):,} of {len(train):,} training rows are nearly the same as another one: "
            f"{len(train) - len(again):,} are different"
        )
        do = "kept; collect rows of other things, and count these as so many"
        level = "warning" if 2 * len(again) > len(train) else "note"
        return [Found(Finding("effective_rows", level, what, do, len(again), draft.places(again)))]


CHECK = EffectiveRows
