"""The saved model says what was measured: loaded again from its folder, it answers all test rows."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from warmstart.base.types import Proof
from warmstart.models.features import device_of
from warmstart.models.load import load
from warmstart.street.proofs._tick import Scene, Tick, compared
from warmstart.tune.memory import Limits, logits_in_parts

READ = 64  # test rows that the saved processor must read like the one that was measured
SAME = 1e-5  # largest difference of a probability


@dataclass
class SavedIsTheSame(Tick):
    """Its processor too reads the rows as they were read."""

    order: ClassVar[int] = 50
    claim: ClassVar[str] = "The saved model is the one that was measured"
    do: ClassVar[str] = "do not ship this model; it answers otherwise than what the report shows"
    stops: ClassVar[bool] = True
    learns: ClassVar[bool] = False

    def shipped(self, scene: Scene) -> Proof:
        assert scene.run is not None and scene.saved is not None
        inputs, modality = scene.ready.splits["test"].inputs, scene.task.modality
        again = load(str(scene.saved), modality, device=str(device_of(scene.model.anatomy)))
        first = np.arange(min(READ, len(inputs)))
        read, _ = scene.task.inputs(again, scene.bundle, scene.ready.numbers["test"][: len(first)], None)
        ours, theirs = inputs.batch(first), read.batch(first)
        if ours.keys() != theirs.keys() or any(not ours[k].equal(theirs[k]) for k in ours):
            raise RuntimeError(
                f"{scene.saved}: the saved processor reads the rows otherwise than the measured one"
            )
        saved = scene.task.probabilities(logits_in_parts(again.anatomy, inputs, 0, Limits()))
        seen = float(np.abs(saved - scene.run.predictions["test"].probabilities).max())
        what = f"probabilities of {len(inputs):,} test rows, of the model in memory and of its folder"
        return compared(what, seen, SAME)


PROOF = SavedIsTheSame
