"""Texts that are nearly the same: MinHash over shingles (Broder 1997), banded, then the exact similarity.

Long texts are compared by runs of 3 words, short ones by runs of 5 characters, as one changed word would
leave a short text no common run of words. Where one or two words differ, `near_edits` finds them.
"""

import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from warmstart.base.seeds import generator
from warmstart.data.near import distinct, equal_neighbours
from warmstart.data.near_edits import near_edits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALIKE = 0.8  # Jaccard similarity from which two texts count as nearly the same
PERMUTATIONS = 128
BANDS = 16  # of 8: finds 95 % of pairs at 0.8 and 99.98 % at 0.9; the exact similarity drops what is too much
LONG = 16  # words from which a text is long
BORDER = 20  # words up to which a long text is also compared as a short one: 16 / 0.8
AT_ONCE = 64  # texts whose runs are hashed together: 130,000 runs at most
MOST_WORDS = 2_000  # of each text that are looked at
_WORD = re.compile(r"\w+")
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019](?=\w)")  # "don't" is one word, with or without it


def near_texts(texts: Sequence[str]) -> tuple["NDArray[np.int64]", bool]:
    """P x 2 numbers of texts with a Jaccard similarity of at least 0.8, or but for a word or two the same.

    With them whether any were skipped.
    """
    import numpy as np

    normal = [normalise(text) for text in texts]
    first: dict[str, int] = {}
    same = [(first.setdefault(text, number), number) for number, text in enumerate(normal)]
    words = {text: text.count(" ") + 1 for text in first}
    found = [np.array([p for p in same if p[0] != p[1]], np.int64).reshape(-1, 2)]
    capped = False
    for shingles, chosen in (
        (by_characters, [number for text, number in first.items() if words[text] <= BORDER]),
        (by_words, [number for text, number in first.items() if words[text] >= LONG]),
    ):
        pairs, cut = _alike([normal[number] for number in chosen], shingles)
        found.append(np.array(chosen, np.int64)[pairs].reshape(-1, 2))
        capped |= cut
    different = np.array(list(first.values()), np.int64)
    found.append(different[near_edits(list(first))].reshape(-1, 2))
    return np.concatenate(found), capped


def normalise(text: str) -> str:
    """Words alone, in lower case and compatible characters; a text without words stays, blanks aside."""
    flat = _APOSTROPHE.sub("", unicodedata.normalize("NFKC", text[: MOST_WORDS * 20]).casefold())
    return " ".join(_WORD.findall(flat)[:MOST_WORDS]) or " ".join(flat.split())


def by_words(text: str) -> frozenset[str]:
    words = text.split(" ")
    return frozenset(" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2)))


def by_characters(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 5] for i in range(max(1, len(text) - 4)))


def _alike(texts: list[str], shingles: Callable[[str], frozenset[str]]) -> tuple["NDArray[np.int64]", bool]:
    """Pairs of different texts that are alike by these shingles."""
    import numpy as np

    if len(texts) < 2:
        return np.empty((0, 2), np.int64), False
    candidates, capped = _candidates(_signatures(texts, shingles))
    shingled = lru_cache(maxsize=2_000)(lambda number: shingles(texts[number]))  # a long text has 2,000 runs
    kept = [pair for pair in candidates.tolist() if jaccard(shingled(pair[0]), shingled(pair[1])) >= ALIKE]
    return np.array(kept, np.int64).reshape(-1, 2), capped


def _signatures(texts: list[str], shingles: Callable[[str], frozenset[str]]) -> "NDArray[np.uint32]":
    """N x 128 MinHash values: the smallest value of a text's runs under each of 128 hash functions.

    Multiply-shift hashing of 32-bit numbers, strongly universal (Dietzfelbinger 1996).
    """
    import numpy as np

    factors, shifts = generator(1, "minhash").integers(0, 2**64, (2, PERMUTATIONS), np.uint64)
    parts: list[NDArray[np.uint32]] = []
    for i in range(0, len(texts), AT_ONCE):
        hashes = [[zlib.crc32(run.encode()) for run in shingles(text)] for text in texts[i : i + AT_ONCE]]
        begins = np.cumsum([0, *map(len, hashes)])[:-1]
        flat = np.fromiter((h for each in hashes for h in each), np.uint64)
        mixed = ((flat[:, None] * factors + shifts) >> np.uint64(32)).astype(np.uint32)
        parts.append(np.minimum.reduceat(mixed, begins, axis=0))
    return np.concatenate(parts)


def _candidates(signatures: "NDArray[np.uint32]") -> tuple["NDArray[np.int64]", bool]:
    """Pairs that agree in a whole band; the cost of a large bucket is bounded."""
    import numpy as np

    width = PERMUTATIONS // BANDS
    found, capped = [], False
    for band in range(BANDS):
        part = np.ascontiguousarray(signatures[:, band * width : (band + 1) * width])
        keys = np.unique(part.view(f"V{part.itemsize * width}").ravel(), return_inverse=True)[1].ravel()
        pairs, cut = equal_neighbours(keys)
        found.append(pairs)
        capped |= cut
    return distinct(np.concatenate(found), len(signatures)), capped


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Size of the intersection over size of the union."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)
