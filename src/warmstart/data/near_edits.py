"""Short texts that differ in one or two words: they share what is left when these are taken out.

Shingles miss them: one changed word of ten leaves a similarity of 0.6. Each text is therefore known by what
it is without any one or two of its words (the deletion neighbourhood, Bocek et al. 2007, "Fast similarity
search in large dictionaries"), and two texts that meet there are compared word by word. What more than
three texts share without the same words is a template ("rate this book _ of 6 points") and no copy.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from warmstart.base.seeds import generator

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST = {1: 8, 2: 12}  # words that a text must have for one, or two, of them to be different
LONGEST = 56  # words from which on two different words leave a similarity of 0.8 between runs of three
TEMPLATE = 3  # texts that may share what is left; more fill the same form
AT_ONCE = 8_000_000  # keys that are sorted together


def near_edits(texts: Sequence[str]) -> "NDArray[np.int64]":
    """P x 2 numbers of texts that are at most two words apart, and no forms that many fill.

    `texts` are different from each other, and their words have one blank between them. One word may differ
    where both have 8 words or more, two from 12 words on; words are replaced, left out or put in.
    """
    import numpy as np

    words = [text.split(" ") for text in texts]
    chosen = [i for i, w in enumerate(words) if FEWEST[1] <= len(w) <= LONGEST]
    if len(chosen) < 2:
        return np.empty((0, 2), np.int64)
    met = _met(_numbered([words[i] for i in chosen]))
    pairs = [(chosen[a], chosen[b]) for a, b in sorted(met)]
    kept = [(a, b) for a, b in pairs if edits(words[a], words[b]) <= allowed(words[a], words[b])]
    return np.array(kept, np.int64).reshape(-1, 2)


def allowed(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words of two texts may differ."""
    shorter = min(len(one), len(other))
    return max((number for number, words in FEWEST.items() if shorter >= words), default=0)


def edits(one: Sequence[str], other: Sequence[str]) -> int:
    """Fewest words to replace, leave out or put in (Levenshtein 1966), 3 for three and more."""
    above = list(range(len(other) + 1))
    if abs(len(one) - len(other)) > 2:
        return 3
    for number, word in enumerate(one, 1):
        row = [number]
        for place, wanted in enumerate(other, 1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (word != wanted)))
        if min(row) > 2:
            return 3
        above = row
    return min(above[-1], 3)


def _numbered(words: list[list[str]]) -> "list[NDArray[np.uint64]]":
    """Each text as random numbers of its words, whose sum knows a text whatever the order of its words."""
    import numpy as np

    place = {word: i for i, word in enumerate(dict.fromkeys(w for text in words for w in text))}
    drawn = generator(2, "words").integers(1, 2**64, len(place), np.uint64)
    return [drawn[[place[word] for word in text]] for text in words]


def _met(numbered: "list[NDArray[np.uint64]]") -> set[tuple[int, int]]:
    """Pairs of texts that share what is left without one or two words, with nobody but a third."""
    import numpy as np

    by_length: dict[int, list[int]] = defaultdict(list)
    for i, numbers in enumerate(numbered):
        by_length[len(numbers)].append(i)
    stacked = {n: (np.array(rows), np.stack([numbered[i] for i in rows])) for n, rows in by_length.items()}
    total = sum(len(rows) * (1 + n + n * (n - 1) // 2) for n, (rows, _) in stacked.items())
    parts = np.uint64(-(-total // AT_ONCE))
    found: set[tuple[int, int]] = set()
    for part in range(int(parts)):
        keys, owners = [], []
        for rows, numbers_NL in stacked.values():
            left_NK = _left(numbers_NL)
            row, column = np.nonzero(left_NK % parts == part)
            keys.append(left_NK[row, column])
            owners.append(rows[row])
        found |= _sharing(np.concatenate(keys), np.concatenate(owners))
    return found


def _left(numbers_NL: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """N x K sums of N texts of L words: whole, without each word, and, if long enough, without each two."""
    import numpy as np

    length = numbers_NL.shape[1]
    whole_N1 = numbers_NL.sum(1, dtype=np.uint64, keepdims=True)
    parts = [whole_N1, whole_N1 - numbers_NL]
    if length >= FEWEST[2]:
        first, second = np.triu_indices(length, 1)
        parts.append(whole_N1 - numbers_NL[:, first] - numbers_NL[:, second])
    return np.concatenate(parts, axis=1)


def _sharing(keys: "NDArray[np.uint64]", owners: "NDArray[np.int64]") -> set[tuple[int, int]]:
    """Pairs of owners of the same key, where it has few owners."""
    import numpy as np

    order = np.lexsort((owners, keys))
    keys, owners = keys[order], owners[order]
    fresh = np.r_[True, (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])]  # a word may stand twice
    keys, owners = keys[fresh], owners[fresh]
    begins = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    sizes = np.diff(np.r_[begins, len(keys)])
    few = (sizes > 1) & (sizes <= TEMPLATE)
    heaps = (owners[b : b + s].tolist() for b, s in zip(begins[few], sizes[few], strict=True))
    return {pair for heap in heaps for pair in combinations(heap, 2)}
