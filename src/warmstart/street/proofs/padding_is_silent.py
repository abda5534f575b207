"""Who stands beside a row does not change its answer: the shortest row alone, and beside the longest."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from warmstart.base.types import Proof
from warmstart.models.anatomy import Anatomy, at_rest
from warmstart.models.features import device_of, read
from warmstart.models.inputs import Inputs, Ragged, TextInputs
from warmstart.street.proofs._tick import CLOSE, Scene, Tick, absent, apart, compared


@dataclass
class PaddingIsSilent(Tick):
    """Of the finished model, for rows that are padded and for rows that lie end to end."""

    order: ClassVar[int] = 40
    claim: ClassVar[str] = "Padding and neighbours do not change an answer"
    do: ClassVar[str] = "answers of this model depend on who is asked beside: ask row by row, or take another"
    learns: ClassVar[bool] = False

    def shipped(self, scene: Scene) -> Proof:
        inputs = uneven(scene.ready.splits["validation"].inputs)
        if len(inputs) < 2:
            return absent("there is a single row")
        anatomy, rows = scene.model.anatomy, ends(inputs)
        alone, *beside = alone_and_beside(anatomy, inputs, rows)
        if not bool(torch.isfinite(alone).all()):
            return absent("an answer is no number")
        short, long = inputs.lengths[rows[0]], inputs.lengths[rows].max()
        what = f"a row of {short} tokens alone, and beside one of {long}"
        what = what if scene.task.modality == "text" else "a picture alone, and beside another"
        return compared(what, max(apart(each, alone) for each in beside), CLOSE)


def uneven(inputs: Inputs) -> Inputs:
    """The rows; where all texts are of one length the first and its half, so that one is padded."""
    longest = int(inputs.lengths.max())
    if not isinstance(inputs, TextInputs) or longest == 1 or inputs.lengths.min() < longest:
        return inputs

    def cut(rows: Ragged) -> Ragged:
        row = rows.flat[rows.offsets[0] : rows.offsets[1]].tolist()
        return Ragged.of([row[: longest // 2], row])

    return TextInputs(cut(inputs.ids), inputs.padding, None if inputs.types is None else cut(inputs.types))


def ends(inputs: Inputs) -> NDArray[np.int64]:
    """Places of the shortest row and of the longest."""
    return np.argsort(inputs.lengths, kind="stable")[[0, -1]]


@torch.inference_mode()
def alone_and_beside(anatomy: Anatomy, inputs: Inputs, rows: NDArray[np.int64]) -> tuple[Tensor, ...]:
    """Scores of the first row: alone, padded beside the others, and laid end to end with them."""
    with at_rest(anatomy.model):
        alone = anatomy.logits(inputs.on(device_of(anatomy), rows[:1], False))[0]
        padded = anatomy.logits(inputs.on(device_of(anatomy), rows, False))[0]
        joined = anatomy.logits(read(anatomy, inputs, rows))[0]
    return alone.float(), padded.float(), joined.float()


PROOF = PaddingIsSilent
