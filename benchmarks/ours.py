"""Our side of every pair: the product's own loop, and the whole street.

python -m benchmarks.ours WORK OUT             # tasks.encode and tune.loop.tune, as the plan says
python -m benchmarks.ours WORK OUT --street    # process.run, from the files to the report
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.span import asked, begun, report
from benchmarks.work.flops import of_training
from benchmarks.work.rows import read_chats, read_photos, read_texts
from benchmarks.work.work import Work
from warmstart import process
from warmstart.adapt.apply import apply
from warmstart.base.types import Phase, Plan
from warmstart.models.load import Pretrained, load
from warmstart.street.precision import measure
from warmstart.tasks import TASKS
from warmstart.tasks.chat import Chat
from warmstart.tune.job import Split
from warmstart.tune.loop import Keeping, tune

READ = {"text": read_texts, "image": read_photos}
LORA = {"name": "lora", "rank": 8, "alpha": 16}


def plan_of(work: Work) -> Plan:
    phase = Phase(work.learn, work.lr, work.epochs, warmup=0.0, schedule="linear", weight_decay=0.0)
    norms = "learn" if work.norms else "frozen"
    return Plan(
        "given",
        work.network,
        task_name(work),
        (phase,),
        batch=work.batch,
        seed=work.seed,
        norm_statistics=norms,
    )


def task_name(work: Work) -> str:
    return "chat" if work.kind == "chat" else f"{work.kind}_classification"


def split_of(work: Work, pretrained: Pretrained, name: str) -> Split:
    values, classes = READ[work.kind](work.data, name)
    task = TASKS.get(task_name(work))()
    inputs, _ = task.encode(pretrained, values, Path(work.scratch))
    return Split(inputs, torch.tensor(classes))


def train(work: Work) -> dict[str, Any]:
    pretrained, task = load(work.network, work.kind, device=work.device), TASKS.get(task_name(work))()
    span = begun(work.device)
    splits = {name: split_of(work, pretrained, name) for name in ("train", "validation")}
    chosen = measure(pretrained, splits["train"].inputs)
    plan = replace(plan_of(work), precision=chosen.precision)
    trained = tune(pretrained, plan, task, splits, Keeping(Path(work.scratch)))
    said: dict[str, Any] = span.end()
    looks = [look for look in trained.history if look["train_loss"] is not None]
    said["losses"] = [look["train_loss"] for look in looks]
    said["accuracy"] = looks[-1]["validation_accuracy"]
    if work.kind == "text":
        said["amount"] = of_training(work, *(split.inputs.lengths for split in splits.values()))
    return said


def converse(work: Work) -> dict[str, Any]:
    """Adapters on a language model; the loss is of all words, as trl has it by default."""
    pretrained, task = load(work.network, work.kind, device=work.device), Chat(answers_only=False)
    span, splits = begun(work.device), {}
    pretrained = apply(pretrained, (LORA,), (), work.seed).pretrained
    for name in ("train", "validation"):
        rows = [row["messages"] for row in read_chats(work.data, name)]
        inputs, targets, _ = task.encode(pretrained, rows)
        splits[name] = Split(inputs, targets)
    chosen = measure(pretrained, splits["train"].inputs, task, splits["train"].targets)
    plan = replace(plan_of(work), precision=chosen.precision)
    trained = tune(pretrained, plan, task, splits, Keeping(Path(work.scratch)))
    said: dict[str, Any] = span.end()
    said["losses"] = [look["train_loss"] for look in trained.history if look["train_loss"] is not None]
    said["validation_loss"] = trained.history[-1]["validation_loss"]
    said["precision"] = chosen.precision
    return said


def street(work: Work) -> dict[str, Any]:
    """Rank networks of one shape, plan, tune as long as the peer does, train the rivals and report."""
    models = tuple(f"{work.network[:-1]}{n}" for n in range(work.candidates))
    settings = (f"phases.2.epochs={work.epochs}", f"phases.2.lr={work.lr}", f"batch={work.batch}")
    begin = begun(work.device)
    result = process.run(
        work.data,
        runs=Path(work.scratch),
        models=models,
        strategy="full",
        settings=settings,
        seed=work.seed,
        device=work.device,
    )
    said: dict[str, Any] = begin.end()
    run = result.runs["full"]
    steps = [look for look in run.history if look["lr"]]  # heads are solved
    said["losses"] = [look["train_loss"] for look in steps]
    said["accuracy"] = run.metrics["accuracy"].value
    said["seconds"] = {name: each.seconds for name, each in result.runs.items()}
    return said


def main() -> None:
    work, out, given = asked("street")
    torch.set_num_threads(work.threads)
    if work.kind == "chat":
        import peft  # noqa: F401  as the peer imports it before its span

        report(out, **converse(work))
        return
    report(out, **(street(work) if given.street else train(work)))


if __name__ == "__main__":
    main()
