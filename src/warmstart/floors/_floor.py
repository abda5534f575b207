"""What a floor is: rows as numbers that no network made, weighed by what the training rows alone tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    Matrix = NDArray[np.floating] | csr_array


class Floor(ABC):
    """Columns for a logistic regression. Its coefficients are of one size, so that one penalty fits all."""

    plain: ClassVar[str]  # what a sentence calls it: "a bag of words (TF-IDF with logistic regression)"
    penalties: ClassVar[tuple[float, ...]]  # the grid of scikit-learn's C: larger is freer

    @abstractmethod
    def read(self, values: Sequence[Any]) -> Matrix:
        """N x D: a row's numbers hang on that row alone. Raises WarmstartError for what cannot be read."""

    @abstractmethod
    def weighed(self, raw_ND: Matrix, train: NDArray[np.int64]) -> Matrix:
        """The same rows, all of them, scaled by what the rows `train` alone tell."""
