"""Bits per byte: how many bits does a language model need for the user's own texts, whatever its tokens are?

A loss per token flatters the tokenizer that cuts texts into fewer pieces; per byte of UTF-8 all are alike
(as in The Pile: Gao 2020, arXiv 2101.00027).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._asks import WORDS
from warmstart.select.scores._scoring import Folds, Scoring, of_ratio


@dataclass(frozen=True)
class BitsPerByte:
    """Minus the bits of all texts over their bytes, so that higher is better. 8 bits know nothing.

    The texts are held out as long as the candidate was not trained on them, which nobody can see from here: a
    model that is far better than its kin may have read them.
    """

    judges: ClassVar[str] = WORDS
    reads: ClassVar[str] = WORDS

    def score(self, words_N2: NDArray[np.floating], _: NDArray[np.generic], folds: Folds) -> Scoring:
        """`words_N2` are the nats and the bytes of each text. Interval by a bootstrap over texts."""
        nats_N, bytes_N = words_N2.astype(np.float64).T
        return bits_per_byte(nats_N, bytes_N, folds)


def bits_per_byte(nats_N: NDArray[np.float64], bytes_N: NDArray[np.float64], folds: Folds) -> Scoring:
    """The Scoring of texts that cost so many nats and have so many bytes; `folds` are `untrained(N)`.

    Raises WarmstartError for nats that are not finite or below 0, and where no text has a byte.
    """
    wrong_N = ~np.isfinite(nats_N) | (nats_N < 0) | ~np.isfinite(bytes_N) | (bytes_N < 0)
    if wrong_N.any():
        row = int(np.flatnonzero(wrong_N)[0])
        raise WarmstartError(
            f"text {row} has {nats_N[row]} nats and {bytes_N[row]} bytes",
            "give finite numbers",
            "wrong-value",
        )
    if not bytes_N.sum():
        raise WarmstartError(
            f"none of the {len(bytes_N)} texts has a byte", "give texts that are not empty", "no-text"
        )
    return of_ratio(-nats_N / np.log(2), np.asarray(bytes_N, np.float64), folds)


SCORE = BitsPerByte
