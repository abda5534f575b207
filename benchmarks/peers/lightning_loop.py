"""Lightning, as its documentation writes a module for text classification."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from benchmarks.peers import texts
from benchmarks.span import asked, begun, report
from benchmarks.work.work import Work


class Classifier(lightning.LightningModule):
    def __init__(self, model: Any, work: Work, total: int) -> None:
        super().__init__()
        self.model, self.work, self.total = model, work, total
        self.losses: list[float] = []
        self.seen: list[torch.Tensor] = []
        self.right: list[torch.Tensor] = []

    def training_step(self, batch: Any, number: int) -> torch.Tensor:
        loss: torch.Tensor = self.model(**batch).loss
        self.seen.append(loss.detach())
        return loss

    def on_train_epoch_end(self) -> None:
        self.losses.append(float(torch.stack(self.seen).mean()))
        self.seen = []

    def on_validation_epoch_start(self) -> None:
        self.right = []

    def validation_step(self, batch: Any, number: int) -> None:
        self.right.append(self.model(**batch).logits.argmax(-1) == batch["labels"])

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.work.lr, weight_decay=0.0)
        schedule = LambdaLR(optimizer, lambda step: 1 - step / self.total)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def train(work: Work) -> dict[str, Any]:
    model, tokenizer = texts.start(work)
    model.train()  # Lightning keeps a module in the mode in which it finds it
    span = begun(work.device)
    pad = texts.Padding(tokenizer)
    learned = DataLoader(texts.rows(work, tokenizer, "train"), work.batch, shuffle=True, collate_fn=pad)
    held = DataLoader(texts.rows(work, tokenizer, "validation"), texts.EVALUATED, collate_fn=pad)
    module = Classifier(model, work, work.epochs * len(learned))
    trainer = lightning.Trainer(
        max_epochs=work.epochs,
        gradient_clip_val=1.0,
        accelerator="cpu" if work.device == "cpu" else "gpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(module, learned, held)
    said: dict[str, Any] = span.end()
    return {**said, "losses": module.losses, "accuracy": float(torch.cat(module.right).float().mean())}


if __name__ == "__main__":
    work, out, _ = asked()
    report(out, **train(work))
