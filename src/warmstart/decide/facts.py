"""Counting what a decision needs to know about the rows: how many, how even, how good a mere guess is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class RowFacts:
    """The part of Facts that the labels alone decide; the fields have the names that Facts gives them."""

    rows: int
    classes: int
    fewest_per_class: int
    median_per_class: float
    floor: float


def count_rows(train: Sequence[int], validation: Sequence[int], classes: int) -> RowFacts:
    """Count class numbers (0 to classes - 1) of training and validation rows; neither may be empty.

    A class without training rows counts as 0. The floor is the validation accuracy of always answering
    the class that is most frequent in training (the lowest number where several are).
    """
    counts = Counter(train)
    sizes = [counts[c] for c in range(classes)]
    guess = sizes.index(max(sizes))
    floor = sum(1 for c in validation if c == guess) / len(validation)
    return RowFacts(len(train), classes, min(sizes), float(median(sizes)), floor)
