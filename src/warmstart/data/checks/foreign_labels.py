"""Test or validation rows with other labels than the training rows: they could prove or choose nothing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from warmstart.base.errors import WarmstartError
from warmstart.data.draft import Draft, Found, quoted
from warmstart.data.labels import in_order, plain

SHARE = 0.5  # of the rows of a split that must have labels of the training rows


@dataclass(frozen=True)
class ForeignLabels:
    """Refused where fewer than half of the rows of a split that was brought have a label that is learned."""

    order: int = 25
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        labels, splits = draft.values("label"), draft.splits
        learned = {label for label, free in zip(labels, draft.pool, strict=True) if free}
        for name in sorted(draft.brought):
            asked = Counter(label for label, where in zip(labels, splits, strict=True) if where == name)
            known = sum(number for label, number in asked.items() if label in learned)
            if learned and known < SHARE * asked.total():
                raise WarmstartError(
                    f"{draft.source}: {known:,} of {asked.total():,} {name} rows have a learned label; "
                    f"there: {quoted(in_order(asked))}; in training: {quoted(in_order(learned))}",
                    advice(asked, learned),
                    "foreign-labels",
                )
        return []


def advice(asked: Iterable[str], learned: Iterable[str]) -> str:
    """What to do, with the spelling that would make labels the same."""
    for says, key in (("by case", str.casefold), ("in how a number is written", number)):
        known = {key(plain(name)): name for name in learned}
        others = [name for name in in_order(asked) if name not in known.values()]
        pair = next(((name, known[k]) for name in others if (k := key(plain(name))) in known), None)
        if pair:
            return f"they differ only {says}: spell {pair[0]!r} and {pair[1]!r} alike in both files"
    return "give both files the same labels, or name the column that holds them: --label COLUMN"


def number(name: str) -> str:
    """1, 1.0 and 01 are the same."""
    try:
        return str(float(name))
    except ValueError:
        return name


CHECK = ForeignLabels
