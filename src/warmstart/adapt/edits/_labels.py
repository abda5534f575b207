"""Which of the user's classes a trained head already knows, by name alone."""

from collections import Counter, defaultdict
from collections.abc import Sequence


def match(new: Sequence[str], old: Sequence[str]) -> dict[int, int]:
    """Number of a new class -> number of the old class of the same name.

    Case, outer spaces and underscores do not count. A name such as ImageNet's "tench, Tinca tinca" is matched
    as a whole first, then by any of its parts. A name that fits several classes is ambiguous and fits none.
    """
    whole = one_to_one(pairs([{plain(n)} for n in new], [{plain(n)} for n in old]))
    done = set(whole.values())
    left = [set() if i in whole else parts(n) for i, n in enumerate(new)]
    right = [set() if j in done else parts(n) for j, n in enumerate(old)]
    return whole | one_to_one(pairs(left, right))


def pairs(new: Sequence[set[str]], old: Sequence[set[str]]) -> set[tuple[int, int]]:
    """Numbers of a new and an old class that share a name."""
    places = defaultdict(list)
    for j, names in enumerate(old):
        for name in names:
            places[name].append(j)
    return {(i, j) for i, names in enumerate(new) for name in names for j in places[name]}


def one_to_one(found: set[tuple[int, int]]) -> dict[int, int]:
    """The pairs of which neither side occurs twice."""
    left, right = Counter(i for i, _ in found), Counter(j for _, j in found)
    return {i: j for i, j in sorted(found) if left[i] == right[j] == 1}


def plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


def parts(name: str) -> set[str]:
    return {plain(part) for part in name.split(",")} - {""}
