"""fastai with SortedDL, which puts texts of like length into a batch."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from fastai.basics import CrossEntropyLossFlat, DataLoaders, Learner, OptimWrapper
from fastai.callback.schedule import ParamScheduler, SchedLin
from fastai.callback.training import GradientClip
from fastai.metrics import accuracy
from fastai.text.data import SortedDL
from torch import Tensor, nn

from benchmarks.peers import texts
from benchmarks.span import asked, begun, report
from benchmarks.work.work import Work


class Logits(nn.Module):
    """The model as fastai calls it: one input, one output."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        logits: Tensor = self.model(**inputs).logits
        return logits


def collate(pad: texts.Padding, batch: list[dict[str, Any]]) -> tuple[dict[str, Tensor], Tensor]:
    inputs = dict(pad(batch))
    return inputs, inputs.pop("labels")


def train(work: Work) -> dict[str, Any]:
    model, tokenizer = texts.start(work)
    span = begun(work.device)
    loaders = []
    for split, size, shuffle in (("train", work.batch, True), ("validation", texts.EVALUATED, False)):
        rows = texts.rows(work, tokenizer, split)
        lengths = [len(row["input_ids"]) for row in rows]
        batches = partial(collate, texts.Padding(tokenizer))
        loaders.append(
            SortedDL(
                rows,
                sort_func=lambda row: len(row["input_ids"]),
                res=lengths,
                bs=size,
                shuffle=shuffle,
                create_batch=batches,
                num_workers=0,
            )
        )
    learner = Learner(
        DataLoaders(*loaders, device=torch.device(work.device)),
        Logits(model),
        loss_func=CrossEntropyLossFlat(),
        opt_func=partial(OptimWrapper, opt=torch.optim.AdamW),
        metrics=accuracy,
        cbs=GradientClip(1.0),
    )
    with learner.no_bar(), learner.no_logging():
        falling = ParamScheduler({"lr": SchedLin(work.lr, 0.0)})
        learner.fit(work.epochs, lr=work.lr, wd=0.0, cbs=falling)
    said: dict[str, Any] = span.end()
    said["losses"] = [float(values[0]) for values in learner.recorder.values]
    said["accuracy"] = float(learner.recorder.values[-1][2])
    return said


if __name__ == "__main__":
    work, out, _ = asked()
    report(out, **train(work))
