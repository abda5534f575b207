"""Training begins where pretraining ended: before a step the body gives what the loaded model gives."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from warmstart.adapt.edits._labels import match
from warmstart.base.types import Proof
from warmstart.models.anatomy import Anatomy, at_rest, pooled
from warmstart.models.features import read
from warmstart.models.inputs import Inputs
from warmstart.street.proofs._tick import CLOSE, Scene, Tick, absent, answers, apart, compared, first_rows

KNOWN = ("new_head", "lora", "drop_layers", "mean_pool")  # edits that leave the layers that stay as they are


@dataclass
class StartsAsTheSource(Tick):
    """Features before the head; after the last layer that stayed, where edits cut or added one.

    Where the old head was kept by name, its scores too.
    """

    order: ClassVar[int] = 70
    claim: ClassVar[str] = "Before the first step the model is the pretrained one"
    do: ClassVar[str] = "an edit changes more than it says: gains over scratch are not those of pretraining"
    learns: ClassVar[bool] = False

    def begun(self, scene: Scene) -> Proof:
        assert scene.source is not None
        if not scene.plan.pretrained:
            return absent("the weights are fresh")
        if other := sorted({edit["name"] for edit in scene.plan.edits} - {*KNOWN}):
            return absent(f"what the edit {other[0]} leaves of the model is not known here")
        source, model = scene.source.anatomy, scene.model.anatomy
        inputs = scene.ready.splits["validation"].inputs
        rows = first_rows(inputs)
        layers = stayed(scene)
        if layers:
            seen = apart(*(after_layer(one, inputs, rows, layers) for one in (model, source)))
            return compared(f"{len(rows)} rows after layer {layers}, the last that stayed", seen, CLOSE)
        seen = apart(*(below_head(one, inputs, rows) for one in (model, source)))
        kept = match(scene.bundle.labels, scene.source.labels)
        if not kept:
            return compared(f"features of {len(rows)} rows below the new head", seen, CLOSE)
        ours, theirs = (answers(one, inputs, rows) for one in (model, source))
        seen = max(seen, apart(ours[:, list(kept)], theirs[:, list(kept.values())]))
        return compared(f"features of {len(rows)} rows and scores of {len(kept)} kept classes", seen, CLOSE)


def stayed(scene: Scene) -> int:
    """How many of the source's layers stayed, where layers went or came; 0 where none did."""
    assert scene.source is not None
    before, after = (len(layer_ends(one.anatomy)) for one in (scene.source, scene.model))
    added = sum(edit["name"] == "mean_pool" for edit in scene.plan.edits)
    return after - added if added or after != before else 0


def layer_ends(anatomy: Anatomy) -> list[int]:
    """Numbers of the groups that follow each layer, which is one of a row: layer.3 or stage.0.2."""
    rows = (name.rpartition(".") for name in anatomy.names)
    return [i + 1 for i, (row, _, number) in enumerate(rows) if row and number.isdecimal()]


@torch.inference_mode()
def after_layer(anatomy: Anatomy, inputs: Inputs, rows: NDArray[np.int64], layer: int) -> Tensor:
    """The mean over tokens or map of what comes out of a layer, counted from 1."""
    with at_rest(anatomy.model):
        return pooled(anatomy.run(read(anatomy, inputs, rows), 0, layer_ends(anatomy)[layer - 1])).float()


@torch.inference_mode()
def below_head(anatomy: Anatomy, inputs: Inputs, rows: NDArray[np.int64]) -> Tensor:
    """What the head reads."""
    with at_rest(anatomy.model):
        stop = len(anatomy.groups) - 1
        return anatomy.features(anatomy.run(read(anatomy, inputs, rows), 0, stop), stop).float()


PROOF = StartsAsTheSource
