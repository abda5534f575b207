"""The Trainer of transformers on texts and pictures: its defaults, or with its best flags.

python -m benchmarks.peers.hf_trainer WORK OUT [--grouped] [--bf16] [--first-step]
"""

from __future__ import annotations

import tempfile
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

import accelerate  # noqa: F401  the Trainer imports it when it is made
import datasets
import torch
from PIL import Image
from transformers import (
    AutoImageProcessor,
    AutoModelForImageClassification,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from benchmarks.span import asked, begun, report, report_first_step
from benchmarks.work.rows import read_photos, read_texts
from benchmarks.work.work import Work

EVALUATED = 64  # rows at a time
NORMS = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)


class Photos(torch.utils.data.Dataset):
    """Pictures, decoded and processed when they are asked for."""

    def __init__(self, work: Work, processor: Any, split: str) -> None:
        self.paths, self.classes = read_photos(work.data, split)
        self.processor = processor

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> dict[str, Any]:
        image = Image.open(self.paths[number]).convert("RGB")
        pixels = self.processor(image, return_tensors="pt")["pixel_values"][0]
        return {"pixel_values": pixels, "labels": self.classes[number]}


def texts(work: Work, tokenizer: Any, split: str) -> Any:
    values, classes = read_texts(work.data, split)
    plain = datasets.Dataset.from_dict({"text": values, "labels": classes})
    return plain.map(lambda rows: tokenizer(rows["text"], truncation=True), batched=True)


def start(work: Work) -> tuple[Any, Any, Any]:
    """Model, tokenizer or processor, and what makes a split of the rows."""
    if work.kind == "text":
        model = AutoModelForSequenceClassification.from_pretrained(work.network)
        processor = AutoTokenizer.from_pretrained(work.network)
        return model.to(work.device), processor, partial(texts, work, processor)
    model = AutoModelForImageClassification.from_pretrained(work.network)
    processor = AutoImageProcessor.from_pretrained(work.network)
    return model.to(work.device), processor, partial(Photos, work, processor)


def freeze(model: torch.nn.Module, work: Work) -> None:
    """No gradient for what is frozen, and no new norm statistics, as careful scripts do it."""
    frozen = set(work.frozen)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in frozen)
    for name, module in model.named_modules():
        if isinstance(module, NORMS) and (not work.norms or f"{name}.weight" in frozen):
            module.eval()
            module.train = lambda mode=True, module=module: module  # type: ignore[method-assign]


def settings(work: Work, given: Namespace, folder: str) -> TrainingArguments:
    return TrainingArguments(
        output_dir=folder,
        learning_rate=work.lr,
        num_train_epochs=work.epochs,
        per_device_train_batch_size=work.batch,
        per_device_eval_batch_size=EVALUATED,
        eval_strategy="no" if given.first_step else "epoch",
        logging_strategy="epoch",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=work.device == "cpu",
        seed=work.seed,
        bf16=given.bf16,
        train_sampling_strategy="group_by_length" if given.grouped else "random",
    )


def score(said: Any) -> dict[str, float]:
    return {"accuracy": float((said.predictions.argmax(-1) == said.label_ids).mean())}


class FirstStep(TrainerCallback):
    def __init__(self, out: Path) -> None:
        self.out = out

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        report_first_step(self.out)


def train(work: Work, out: Path, given: Namespace) -> dict[str, Any]:
    torch.set_num_threads(work.threads)
    model, processor, split = start(work)
    freeze(model, work)
    span = begun(work.device)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model,
            settings(work, given, folder),
            train_dataset=split("train"),
            eval_dataset=split("validation"),
            processing_class=processor,
            compute_metrics=score,
            callbacks=[FirstStep(out)] if given.first_step else [],
        )
        trainer.train()
        said: dict[str, Any] = span.end()
    log = trainer.state.log_history
    said["losses"] = [entry["loss"] for entry in log if "loss" in entry]
    said["accuracy"] = next(entry["eval_accuracy"] for entry in reversed(log) if "eval_accuracy" in entry)
    return said


if __name__ == "__main__":
    work, out, given = asked("grouped", "bf16", "first-step")
    report(out, **train(work, out, given))
