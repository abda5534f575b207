"""The loss is what it is called: of the first batch, by the loop's path and row by row by plain torch."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from warmstart.base.types import Proof
from warmstart.models.anatomy import at_rest
from warmstart.models.features import device_of, read
from warmstart.street.proofs._tick import (
    CLOSE,
    FEW,
    Scene,
    Tick,
    absent,
    apart,
    compared,
    first_batch,
    job_of,
)


@dataclass
class LossByHand(Tick):
    """The loss that teaches and the one that is looked at, against the model's own forward of single rows."""

    order: ClassVar[int] = 20
    claim: ClassVar[str] = "The loss is the cross-entropy of the rows, divided once by their number"
    do: ClassVar[str] = "look at the task or the anatomy: what teaches is not what is meant"
    stops: ClassVar[bool] = True

    def begun(self, scene: Scene) -> Proof:
        rows = first_batch(job_of(scene))[:FEW]
        hand = by_hand(scene, rows)
        if not bool(torch.isfinite(hand)):
            return absent("the first loss is no number")
        seen = max(apart(loss, hand) for loss in by_loop(scene, rows))
        return compared(f"{len(rows)} rows of the first batch together, and one by one by hand", seen, CLOSE)


@torch.inference_mode()
def by_hand(scene: Scene, rows: NDArray[np.int64]) -> torch.Tensor:
    """The mean over rows that go through the whole model alone, without anything of ours in between."""
    anatomy, split = scene.model.anatomy, scene.ready.splits["train"]
    device, losses = device_of(anatomy), []
    with at_rest(anatomy.model):
        for row in rows:
            logits_C = anatomy.model(**split.inputs.on(device, [int(row)], False)).logits[0]
            losses.append(cross_entropy(logits_C.double(), split.targets[int(row)].to(device)))
    return torch.stack(losses).mean()


@torch.inference_mode()
def by_loop(scene: Scene, rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
    """What a step divides, and what a look shows, of one walk up to the head."""
    anatomy, split = scene.model.anatomy, scene.ready.splits["train"]
    targets = split.targets[torch.from_numpy(rows)].to(device_of(anatomy))
    with at_rest(anatomy.model):
        head = len(anatomy.groups) - 1
        state = anatomy.run(read(anatomy, split.inputs, rows), 0, head)
        loss, count = scene.task.loss_of(anatomy, state, head, targets)
        look = scene.task.look(anatomy, state, head, targets)
    return loss / count, loss.new_tensor(look.loss)


PROOF = LossByHand
