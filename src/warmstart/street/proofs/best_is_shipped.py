"""What is shipped is the look that was chosen: its validation loss, computed anew, is that of the history."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from warmstart.base.types import Plan, Predictions, Proof
from warmstart.models.precision import BF16
from warmstart.street.proofs._tick import CLOSE, Scene, Tick, absent, compared
from warmstart.tune.batch import overrides
from warmstart.tune.guards import GUARDS

CHOOSES = 1  # the turn of guards that choose among weights
ROUNDED = 2**-7  # what rounding to bfloat16 may do to the mean of many losses, as a share of it or of 1
TINY = np.finfo(np.float64).tiny


@dataclass
class BestIsShipped(Tick):
    """Of the look that early stopping kept, or of the last one. Looks are made in the plan's precision."""

    order: ClassVar[int] = 90
    claim: ClassVar[str] = "The weights that were chosen are those that are shipped"
    do: ClassVar[str] = "another checkpoint was put back than was chosen: train again, and report it"

    def shipped(self, scene: Scene) -> Proof:
        assert scene.run is not None
        if mixing := changes_at_the_end(scene.plan):
            return absent(f"the guard {mixing} changes the weights after the last look")
        history = scene.run.history
        place = int(scene.run.proofs.get("kept_look", len(history) - 1))
        expected = float(history[place]["validation_loss"])
        seen = abs(loss_of(scene.run.predictions["validation"]) - expected)
        share = ROUNDED if scene.run.proofs.get("precision") == BF16 else CLOSE
        what = f"validation loss of the answers, and {expected:.4f} of look {place + 1} of {len(history)}"
        return compared(what, seen, share * max(1.0, expected))


def loss_of(said: Predictions) -> float:
    """Mean log-loss, nats."""
    given = said.probabilities[np.arange(len(said.truth)), said.truth]
    return float(-np.log(np.maximum(given, TINY)).mean())


def changes_at_the_end(plan: Plan) -> str:
    """The name of a guard that sets weights that no look has shown; "" where there is none."""
    for table in plan.guards:
        guard = GUARDS.build(table)
        if overrides([guard], "finish") and not overrides([guard], "shown") and guard.turn != CHOOSES:
            return str(table["name"])
    return ""


PROOF = BestIsShipped
