"""A plain PyTorch loop, as tutorials write it."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from benchmarks.peers import texts
from benchmarks.span import asked, begun, report
from benchmarks.work.work import Work


def train(work: Work) -> dict[str, Any]:
    model, tokenizer = texts.start(work)
    span = begun(work.device)
    pad = texts.Padding(tokenizer)
    learned = DataLoader(texts.rows(work, tokenizer, "train"), work.batch, shuffle=True, collate_fn=pad)
    held = DataLoader(texts.rows(work, tokenizer, "validation"), texts.EVALUATED, collate_fn=pad)
    optimizer = torch.optim.AdamW(model.parameters(), lr=work.lr, weight_decay=0.0)
    total = work.epochs * len(learned)
    schedule = LambdaLR(optimizer, lambda step: 1 - step / total)
    losses, accuracy = [], 0.0
    for _ in range(work.epochs):
        model.train()
        seen = 0.0
        for batch in learned:
            loss = model(**batch.to(work.device)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            seen += loss.item()
        losses.append(seen / len(learned))
        accuracy = texts.accuracy(model, held, work.device)
    return {**span.end(), "losses": losses, "accuracy": accuracy}


if __name__ == "__main__":
    work, out, _ = asked()
    report(out, **train(work))
