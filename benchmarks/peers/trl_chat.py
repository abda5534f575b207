"""trl's SFTTrainer with a peft adapter on conversations: its defaults, or with its best flags.

The best flags: bfloat16, like lengths together, and activations kept and not made again, for which there is
memory enough. Packing is left out, for it changes what a step learns from. On a GPU bfloat16 is a default.
"""

from __future__ import annotations

import tempfile
from typing import Any

import datasets
import torch
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

from benchmarks.span import asked, begun, report
from benchmarks.work.rows import read_chats
from benchmarks.work.work import Work

EVALUATED = 32  # rows at a time
TARGETS = ["c_attn", "c_proj", "c_fc"]


def settings(work: Work, best: bool, folder: str) -> SFTConfig:
    # trl turns it on by itself, on a processor too
    flags: dict[str, Any] = {"bf16": False} if work.device == "cpu" else {}
    if best:
        flags = {
            "bf16": True,
            "gradient_checkpointing": False,
            "train_sampling_strategy": "group_by_length",
        }
    return SFTConfig(
        output_dir=folder,
        learning_rate=work.lr,
        num_train_epochs=work.epochs,
        per_device_train_batch_size=work.batch,
        per_device_eval_batch_size=EVALUATED,
        eval_strategy="epoch",
        logging_strategy="steps",
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=work.device == "cpu",
        seed=work.seed,
        **flags,
    )


def train(work: Work, best: bool) -> dict[str, Any]:
    torch.set_num_threads(work.threads)
    model = AutoModelForCausalLM.from_pretrained(work.network).to(work.device)
    tokenizer = AutoTokenizer.from_pretrained(work.network)
    adapter = LoraConfig(
        r=8, lora_alpha=16, target_modules=TARGETS, task_type="CAUSAL_LM", fan_in_fan_out=True
    )
    span = begun(work.device)
    rows = {name: datasets.Dataset.from_list(read_chats(work.data, name)) for name in ("train", "validation")}
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model,
            settings(work, best, folder),
            train_dataset=rows["train"],
            eval_dataset=rows["validation"],
            processing_class=tokenizer,
            peft_config=adapter,
        )
        trainer.train()
        said: dict[str, Any] = span.end()
    log = trainer.state.log_history
    said["losses"] = [entry["loss"] for entry in log if "loss" in entry]
    said["validation_loss"] = next(entry["eval_loss"] for entry in reversed(log) if "eval_loss" in entry)
    return said


if __name__ == "__main__":
    work, out, given = asked("best")
    report(out, **train(work, given.best))
