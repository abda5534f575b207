"""Labels that differ only by blanks (merged) or by case (reported: they may be meant)."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found, count
from warmstart.data.labels import in_order, plain


@dataclass(frozen=True)
class LabelSpelling:
    """ "pos " and "pos" become one class; "Pos" and "pos" stay two, and the user is told."""

    order: int = 20
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        numbers = Counter(draft.values("label"))
        rename = {
            name: plain(name) if plain(name) in names else max(names, key=lambda n: (numbers[n], n))
            for names in _variants(numbers, plain)
            for name in names
        }
        rename = {name: new for name, new in rename.items() if name != new}
        found = [_merged(draft, rename, numbers)] if rename else []
        left = Counter({rename.get(n, n): 0 for n in numbers})
        for name, number in numbers.items():
            left[rename.get(name, name)] += number
        cases = _variants(left, lambda name: plain(name).casefold())
        return found + ([_cases(draft, cases, left)] if cases else [])


def _variants(numbers: Counter[str], key: Callable[[str], str]) -> list[list[str]]:
    """Names with the same key, where there is more than one."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in in_order(numbers):
        groups[key(name)].append(name)
    return [names for names in groups.values() if len(names) > 1]


def _merged(draft: Draft, rename: dict[str, str], numbers: Counter[str]) -> Found:
    rows = [row for row, label in enumerate(draft.values("label")) if label in rename]
    pairs = ", ".join(
        f"{old!r} ({count(numbers[old], 'row')}) into {new!r}" for old, new in list(rename.items())[:5]
    )
    what = f"{count(len(rename), 'label differs', 'labels differ')} from another only by blanks"
    return Found(
        Finding("label_spelling", "warning", what, f"merged: {pairs}", len(rows), draft.places(rows)),
        (),
        rename,
    )


def _cases(draft: Draft, groups: list[list[str]], numbers: Counter[str]) -> Found:
    shown = "; ".join(
        " and ".join(f"{n!r} ({count(numbers[n], 'row')})" for n in names) for names in groups[:5]
    )
    rare = {min(names, key=lambda n: numbers[n]) for names in groups}
    rows = [row for row, label in enumerate(draft.values("label")) if label in rare]
    do = "kept as different classes; if one is a slip, rename it in the data"
    return Found(
        Finding(
            "label_spelling",
            "warning",
            f"labels differ only by case: {shown}",
            do,
            len(rows),
            draft.places(rows),
        )
    )


CHECK = LabelSpelling
