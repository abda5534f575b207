"""Words and pairs of neighbouring words, weighed by TF-IDF (Sparck Jones 1972, Salton & Buckley 1988)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from warmstart.floors._floor import Floor

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST_WORDS = 2_000  # of each text that are counted; no network here reads as many
# Chinese and Japanese are written without spaces: each of their characters is a word, as each pair is.
ALONE = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{ALONE}]|[^\W{ALONE}]+")


@dataclass(frozen=True)
class BagOfWords(Floor):
    """As scikit-learn's TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), without its second of import.

    A word that no training row has counts for nothing, not even for the length of a row.
    """

    plain = "a bag of words (TF-IDF with logistic regression)"
    penalties = (1.0, 10.0, 100.0, 1000.0)

    def read(self, values: Sequence[Any]) -> csr_array:
        """N x D counts of the words and pairs of N texts; a text without words is a row of zeros."""
        from scipy.sparse import csr_array

        places: dict[str, int] = {}
        columns: list[int] = []
        ends = [0]
        for value in values:
            columns += [places.setdefault(term, len(places)) for term in terms(value)]
            ends.append(len(columns))
        shape = len(ends) - 1, max(1, len(places))
        counts_ND = csr_array((np.ones(len(columns)), np.array(columns, np.int64), ends), shape=shape)
        counts_ND.sum_duplicates()
        return counts_ND

    def weighed(self, raw_ND: Any, train: NDArray[np.int64]) -> csr_array:
        """(1 + ln count) * (ln((1 + N) / (1 + rows with the word)) + 1), each row then of length 1."""
        from scipy.sparse import csr_array

        rows_D = np.bincount(raw_ND[train].indices, minlength=raw_ND.shape[1])
        rarity_D = np.where(rows_D > 0, np.log((1 + len(train)) / (1 + rows_D)) + 1, 0.0)
        values = (1 + np.log(raw_ND.data)) * rarity_D[raw_ND.indices]
        row_of = np.repeat(np.arange(raw_ND.shape[0]), np.diff(raw_ND.indptr))
        length_N = np.sqrt(np.bincount(row_of, values**2, minlength=raw_ND.shape[0]))
        values /= np.where(length_N > 0, length_N, 1.0)[row_of]
        return csr_array((values, raw_ND.indices, raw_ND.indptr), shape=raw_ND.shape)


def terms(value: object) -> Iterator[str]:
    """The words of a text in small letters, then its pairs of neighbours."""
    text = "" if value is None else str(value)
    words = [match[0] for match, _ in zip(WORD.finditer(text.lower()), range(MOST_WORDS), strict=False)]
    yield from words
    yield from (f"{one} {other}" for one, other in zip(words, words[1:], strict=False))


FLOOR = BagOfWords
