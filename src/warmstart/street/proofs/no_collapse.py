"""The model does not give one answer to all: a training that collapsed has learned nothing of the classes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from warmstart.base.types import Predictions, Proof
from warmstart.street.proofs._tick import Scene, Tick, absent

ALL = 0.99  # share of the rows that counts as all of them
CHANCE = 0.01  # that rows of these classes are all of one


@dataclass
class NoCollapse(Tick):
    """Of the validation rows; fresh weights that learn too little for that are no fault of the training."""

    order: ClassVar[int] = 100
    claim: ClassVar[str] = "The model does not give one answer to all rows"
    do: ClassVar[str] = "lower the rates (phases in plan.yaml), or give more rows of the other classes"

    def shipped(self, scene: Scene) -> Proof:
        assert scene.run is not None
        said = scene.run.predictions["validation"]
        most, name = share(said.answers), scene.bundle.labels[int(np.bincount(said.answers).argmax())]
        if most >= ALL and not collapsed(said):
            return absent(f"{len(said.truth):,} validation rows of these classes are too few to tell")
        if most >= ALL and not scene.plan.pretrained:
            return absent(f"the weights were fresh and learned too little: nearly all answers are {name!r}")
        what = f"its most frequent answer, {name!r}, stands at a share of {len(said.truth):,} validation rows"
        return Proof("", most < ALL, what, most, ALL)


def share(numbers: np.ndarray) -> float:
    """Of the most frequent class."""
    return float(np.bincount(numbers).max() / len(numbers))


def collapsed(said: Predictions) -> bool:
    """One class for all rows, or all but one in a hundred, while they are of several.

    Few or lopsided rows may get one answer of a sound model too: the truth itself, drawn anew, would come out
    as one class more often than once in a hundred times. That is no collapse.
    """
    if share(said.answers) < ALL or share(said.truth) >= ALL:
        return False
    shares_C = np.bincount(said.truth) / len(said.truth)
    return float((shares_C ** len(said.truth)).sum()) < CHANCE


PROOF = NoCollapse
