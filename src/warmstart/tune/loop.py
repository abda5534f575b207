"""The one training loop. Every strategy, every guard and every rival runs through these lines.

phases -> epochs -> steps: a step sums the loss over its rows, divides once by their number, adds the guards'
penalties, checks that all is finite, clips and moves. Layers below the first that learns are run once and
read from their cache. All randomness is made from (seed, phase, epoch, step), so that an interrupted training
goes on with the same bits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from warmstart.base.errors import WarmstartError
from warmstart.base.events import Tell, nobody
from warmstart.base.seeds import stream
from warmstart.base.types import Phase, Plan
from warmstart.models.anatomy import BATCH_NORMS, Anatomy, frozen_names, may_learn
from warmstart.models.features import before_head, keep_prefix, logits_of, to_device
from warmstart.models.inputs import digest
from warmstart.models.load import Pretrained
from warmstart.tasks._classification import Classification
from warmstart.tune import head, resume
from warmstart.tune.groups import optimiser
from warmstart.tune.guards import GUARDS
from warmstart.tune.job import Guard, Job, Split
from warmstart.tune.modes import MODES
from warmstart.tune.schedule import factor

CACHE_LIMIT = 2_000_000_000  # bytes of kept activations a split


@dataclass(frozen=True)
class Trained:
    """What a finished training leaves beside the weights in its model."""

    seconds: float
    steps: int
    trained_parameters: int
    history: tuple[dict[str, Any], ...]
    proofs: dict[str, Any]


@dataclass(frozen=True)
class Keeping:
    """Where activations and checkpoints are kept, and how much of them."""

    cache: Path | None = None  # None: frozen layers are run in every step
    cache_limit: int = CACHE_LIMIT
    checkpoints: Path | None = None  # None: nothing to resume from
    save_seconds: float = 30.0  # at least this long between checkpoints within an epoch


def tune(
    pretrained: Pretrained,
    plan: Plan,
    task: Classification,
    splits: Mapping[str, Split],
    keeping: Keeping | None = None,
    tell: Tell = nobody,
) -> Trained:
    """Train the model in place by the plan; `splits` has "train" and "validation"."""
    started = time.perf_counter()
    keeping = keeping or Keeping()
    job = new_job(pretrained.anatomy, plan, task, splits, tell)
    guards: list[Guard] = [GUARDS.build(table) for table in plan.guards]
    for guard in guards:
        guard.begin(job)
    saver = resume.Saver(job, guards, keeping.checkpoints, keeping.save_seconds, started)
    optimiser_state = saver.restore()
    if not job.history:
        look(job, guards, job.splits["validation"], 0, {"lr": 0.0, "train_loss": None})
    proofs: dict[str, Any] = {"frozen_unmoved": True, "prefix_cached": []}
    while job.phase < len(plan.phases):
        run_phase(job, guards, keeping, saver, optimiser_state, proofs)
        optimiser_state = None
        job.phase, job.epoch, job.step, job.stop = job.phase + 1, 0, 0, False
        saver.save(None)
    for guard in guards:
        guard.finish(job)
    job.anatomy.model.eval()
    seconds = job.seconds + time.perf_counter() - started
    return Trained(seconds, job.steps, count_learning(job), tuple(job.history), proofs)


def new_job(
    anatomy: Anatomy, plan: Plan, task: Classification, splits: Mapping[str, Split], tell: Tell
) -> Job:
    learn = tuple({name: None for phase in plan.phases for name in anatomy.chosen(phase.learn)})
    if not learn:
        raise WarmstartError("the plan has no phase in which anything learns", "give a phase `learn: ['*']`")
    still = frozen_names(anatomy, learn)
    moving = tuple(name for name in anatomy.model.state_dict() if name not in still)
    job = Job(plan, task, anatomy, splits, moving, tell)
    job.start = job.weights()
    return job


def run_phase(
    job: Job,
    guards: Sequence[Guard],
    keeping: Keeping,
    saver: resume.Saver,
    optimiser_state: Mapping[str, Tensor] | None,
    proofs: dict[str, Any],
) -> None:
    """One phase: freeze, run the frozen prefix once, learn, and prove that what was frozen did not move."""
    phase = job.plan.phases[job.phase]
    freeze(job, phase)
    still = unmoving(job, phase)
    before = fingerprint_of(job.anatomy, still)
    splits, start = behind_prefix(job, phase, keeping)
    proofs["prefix_cached"].append(start if splits is not job.splits else 0)
    if phase.solver == "logistic":
        solve(job, guards, splits, start)
    else:
        step_through(job, guards, phase, splits, start, saver, optimiser_state)
    if fingerprint_of(job.anatomy, still) != before:
        raise RuntimeError(f"layers that were frozen in phase {job.phase + 1} have moved")


def step_through(
    job: Job,
    guards: Sequence[Guard],
    phase: Phase,
    splits: Mapping[str, Split],
    start: int,
    saver: resume.Saver,
    optimiser_state: Mapping[str, Tensor] | None,
) -> None:
    """Epochs of steps, an evaluation after each, until they are done or a guard stops."""
    stepper = optimiser(job.anatomy, phase)
    if optimiser_state:
        resume.set_optimiser(stepper, optimiser_state)
    mode = MODES.get(job.plan.mode)()
    while job.epoch < phase.epochs and not job.stop:
        batches = mode.batches(job)
        while job.step < len(batches):
            rate = factor(phase, job.epoch * len(batches) + job.step, phase.epochs * len(batches))
            one_step(job, guards, stepper, splits["train"], batches[job.step], start, rate)
            job.step, job.steps = job.step + 1, job.steps + 1
            saver.progress(phase, len(batches))
            saver.save_if_due(stepper)
        lr = max(table["lr"] for table in stepper.param_groups)
        loss = job.loss_sum / max(1, job.loss_count)
        look(job, guards, splits["validation"], start, {"lr": lr, "train_loss": loss})
        freeze(job, phase)
        job.epoch, job.step, job.loss_sum, job.loss_count = job.epoch + 1, 0, 0.0, 0
        saver.save(stepper)


def one_step(
    job: Job,
    guards: Sequence[Guard],
    stepper: torch.optim.Optimizer,
    split: Split,
    numbers: Any,
    start: int,
    rate: float,
) -> None:
    """One step over these rows, in parts of plan.micro_batch; the loss is divided once, by all of them."""
    for table in stepper.param_groups:
        table["lr"] = table["full_lr"] * rate
    stepper.zero_grad(set_to_none=True)
    size = job.plan.micro_batch or len(numbers)
    total, count = 0.0, 0
    with torch.random.fork_rng():
        torch.manual_seed(stream(job.plan.seed, "dropout", job.phase, job.epoch, job.step))
        for i in range(0, len(numbers), size):
            part = numbers[i : i + size]
            state = to_device(split.inputs.batch(part), job.device)
            logits = job.anatomy.logits(state, start)
            loss, rows = job.task.loss(logits, split.targets[torch.from_numpy(part)].to(job.device))
            loss.backward()  # type: ignore[no-untyped-call]
            total, count = total + float(loss.detach()), count + rows
    learning = [p for table in stepper.param_groups for p in table["params"] if p.grad is not None]
    for parameter in learning:
        parameter.grad.div_(count)
    add_penalties(job, guards)
    norm = torch.nn.utils.clip_grad_norm_(learning, job.plan.clip)
    if not (math.isfinite(total) and bool(torch.isfinite(norm))):
        raise not_finite(job, total / count, numbers)
    stepper.step()
    job.loss_sum, job.loss_count = job.loss_sum + total, job.loss_count + count


def add_penalties(job: Job, guards: Sequence[Guard]) -> None:
    for guard in guards:
        penalty = guard.penalty(job)
        if penalty is not None:
            penalty.backward()  # type: ignore[no-untyped-call]


def not_finite(job: Job, loss: float, numbers: Any) -> WarmstartError:
    place = f"phase {job.phase + 1}, epoch {job.epoch + 1}, step {job.step + 1}"
    return WarmstartError(
        f"loss {loss:g} or its gradient is not finite in {place}, rows {list(map(int, numbers[:8]))}...",
        f"lower the rate (--set phases.{job.phase}.lr=...) or look at these rows; nothing was written",
        "not-finite",
    )


def look(job: Job, guards: Sequence[Guard], split: Split, start: int, seen: dict[str, Any]) -> None:
    """Evaluate on the validation rows, write it into the history and let the guards see it."""
    logits = logits_of(job.anatomy, split.inputs, start)
    loss, count = job.task.loss(logits.double(), split.targets)
    scores = {
        "validation_loss": float(loss) / count,
        "validation_accuracy": float((logits.argmax(-1) == split.targets).double().mean()),
    }
    place = {"phase": job.phase + 1 if job.history else 0, "epoch": job.epoch + 1 if job.history else 0}
    job.history.append({**place, "step": job.steps, **seen, **scores})
    job.tell({"event": "look", **job.history[-1]})
    for guard in guards:
        guard.watch(job, scores)


def solve(job: Job, guards: Sequence[Guard], splits: Mapping[str, Split], start: int) -> None:
    """Solve the linear head on the features below it."""
    found = job.anatomy.head()
    if found is None or not job.anatomy.head_is_linear or phase_learns_more(job):
        raise WarmstartError(
            f"phase {job.phase + 1}: solver 'logistic' needs a linear head that learns alone",
            "set `solver: adamw`, or `learn: [head]`",
            "no-linear-head",
        )
    features = {n: (before_head(job.anatomy, s.inputs, start), s.targets) for n, s in splits.items()}
    solved = head.solve_head(found[1], features["train"], features["validation"], found[1].out_features)
    train = splits["train"]
    loss, count = job.task.loss(logits_of(job.anatomy, train.inputs, start), train.targets)
    job.steps += 1
    job.tell({"event": "solved", "phase": job.phase + 1, **solved})
    look(job, guards, splits["validation"], start, {"lr": 0.0, "train_loss": float(loss) / count})


def phase_learns_more(job: Job) -> bool:
    """Does anything but the head learn in the job's phase?"""
    return job.anatomy.chosen(job.plan.phases[job.phase].learn) != job.anatomy.names[-1:]


def behind_prefix(job: Job, phase: Phase, keeping: Keeping) -> tuple[Mapping[str, Split], int]:
    """The splits behind the frozen prefix, and the number of the first group that has to run."""
    boundary = job.anatomy.boundary(phase.learn)
    if boundary == 0 or keeping.cache is None:
        return job.splits, 0
    kept: dict[str, Split] = {}
    for name, split in job.splits.items():
        inputs = keep_prefix(job.anatomy, split.inputs, boundary, keeping.cache, keeping.cache_limit)
        if inputs is None:
            job.tell({"event": "note", "what": "frozen layers run in every step: too large to keep"})
            return job.splits, 0
        kept[name] = replace(split, inputs=inputs)
    return kept, boundary


def freeze(job: Job, phase: Phase) -> None:
    job.anatomy.set_learning(phase.learn, job.plan.norm_statistics)


def unmoving(job: Job, phase: Phase) -> list[str]:
    """Names of all tensors that this phase must leave as they are, norm statistics among them."""
    still = frozen_names(job.anatomy, phase.learn)
    if job.plan.norm_statistics == "frozen":
        for prefix, module in job.anatomy.model.named_modules():
            if isinstance(module, BATCH_NORMS):
                still |= {f"{prefix}.{name}" for name, _ in module.named_buffers(recurse=False)}
    return sorted(still)


def fingerprint_of(anatomy: Anatomy, names: Sequence[str]) -> str:
    state = anatomy.model.state_dict()
    return digest(*(state[name].detach().cpu().contiguous().numpy().tobytes() for name in names))


def count_learning(job: Job) -> int:
    """Parameters that some phase let learn."""
    names = set(job.moving)
    return sum(p.numel() for n, p in job.anatomy.model.named_parameters() if n in names and may_learn(p))
