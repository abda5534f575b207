"""What the scripts on texts share: tokenised rows, padded batches, accuracy in the usual way."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from benchmarks.work.rows import read_texts
from benchmarks.work.work import Work

EVALUATED = 64  # rows at a time


def start(work: Work) -> tuple[Any, Any]:
    """Model and tokenizer, loaded before the span; the model is where it is trained."""
    torch.set_num_threads(work.threads)
    torch.manual_seed(work.seed)
    model = AutoModelForSequenceClassification.from_pretrained(work.network)
    return model.to(work.device), AutoTokenizer.from_pretrained(work.network)


def rows(work: Work, tokenizer: Any, split: str) -> list[dict[str, Any]]:
    texts, classes = read_texts(work.data, split)
    ids = tokenizer(texts, truncation=True)["input_ids"]
    return [{"input_ids": row, "labels": label} for row, label in zip(ids, classes, strict=True)]


class Padding:
    """A batch as long as its longest row."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def __call__(self, batch: list[dict[str, Any]]) -> Any:
        return self.tokenizer.pad(batch, return_tensors="pt")


@torch.no_grad()
def accuracy(model: nn.Module, batches: Any, device: str) -> float:
    model.eval()
    right: list[Tensor] = []
    for batch in batches:
        batch = batch.to(device)
        labels = batch.pop("labels")
        right.append(model(**batch).logits.argmax(-1) == labels)
    return float(torch.cat(right).float().mean())
