"""Gaussian classes whose right answer is known."""

from collections.abc import Callable

import numpy as np
import pytest

Blobs = Callable[..., tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def blobs() -> Blobs:
    """(features, labels): classes in turn, unit noise, class means of standard deviation `separation`."""

    def make(rows: int, columns: int, classes: int, separation: float, seed: int = 0):
        random = np.random.default_rng(seed)
        labels = np.arange(rows) % classes
        means = random.normal(size=(classes, columns)) * separation
        return random.normal(size=(rows, columns)) + means[labels], labels

    return make
