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
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from warmstart.base.errors import WarmstartError
from warmstart.base.events import Tell, nobody
from warmstart.base.types import Phase, Plan
from warmstart.models.anatomy import Anatomy, frozen_names, may_learn
from warmstart.models.features import before_head, logits_of
from warmstart.models.load import Pretrained
from warmstart.tasks._classification import Classification
from warmstart.tune import head, norms, resume
from warmstart.tune.check import check_plan
from warmstart.tune.explosion import stop_if_exploded
from warmstart.tune.groups import optimiser
from warmstart.tune.guards import GUARDS
from warmstart.tune.job import Guard, Job, Split
from warmstart.tune.modes import MODES
from warmstart.tune.schedule import factor
from warmstart.tune.step import one_step
from warmstart.tune.trunk import Keeping, behind_prefix, fingerprint_of, unmoving

__all__ = ["Keeping", "Trained", "tune"]


@dataclass(frozen=True)
class Trained:
    """What a finished training leaves beside the weights in its model."""

    seconds: float
    steps: int
    trained_parameters: int
    history: tuple[dict[str, Any], ...]
    proofs: dict[str, Any]


def tune(
    pretrained: Pretrained,
    plan: Plan,
    task: Classification,
    splits: Mapping[str, Split],
    keeping: Keeping | None = None,
    tell: Tell = nobody,
) -> Trained:
    """Train the model in place by the plan; `splits` has "train" and "validation".

    With keeping.checkpoints a training that was broken off goes on where it was, and ends with the same bits
    (same machine, versions and number of threads). Raises WarmstartError for a plan that cannot be trained
    and for a loss that is not finite.
    """
    started = time.perf_counter()
    keeping = keeping or Keeping()
    check_plan(plan, pretrained.anatomy)
    job = new_job(pretrained.anatomy, plan, task, splits, tell)
    guards: list[Guard] = [GUARDS.build(table) for table in plan.guards]
    for guard in guards:
        guard.begin(job)
    saver = resume.Saver(job, guards, keeping.checkpoints, keeping.save_seconds, started)
    optimiser_state = saver.restore()
    if not job.history:
        look(job, guards, job.splits["validation"], 0, {"lr": 0.0, "train_loss": None})
    while job.phase < len(plan.phases):
        run_phase(job, guards, keeping, saver, optimiser_state)
        optimiser_state = None
        job.phase, job.epoch, job.step, job.stop = job.phase + 1, 0, 0, False
        saver.save(None)
    for guard in sorted(guards, key=lambda guard: guard.finishes_last):
        guard.finish(job)
    job.anatomy.model.eval()
    seconds = job.seconds + time.perf_counter() - started
    return Trained(seconds, job.steps, count_learning(job), tuple(job.history), job.proofs)


def new_job(
    anatomy: Anatomy, plan: Plan, task: Classification, splits: Mapping[str, Split], tell: Tell
) -> Job:
    learn = {name for phase in plan.phases for name in anatomy.chosen(phase.learn)}
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
) -> None:
    """One phase: freeze, run the frozen prefix once, learn, and prove that what was frozen did not move."""
    phase = job.plan.phases[job.phase]
    job.anatomy.set_learning(phase.learn, job.plan.norm_statistics)
    still = unmoving(job, phase)
    before = fingerprint_of(job.anatomy, still)
    splits, start = behind_prefix(job, phase, keeping)
    job.proofs["prefix_cached"][job.phase :] = [start]
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
        done, total = job.epoch * len(batches), phase.epochs * len(batches)
        while job.step < len(batches):
            rate = factor(phase, done + job.step, total)
            one_step(job, guards, stepper, splits["train"], batches[job.step], start, rate)
            job.step, job.steps = job.step + 1, job.steps + 1
            saver.progress(phase, len(batches))
            saver.save_if_due(stepper)
        last_lr = phase.lr * factor(phase, done + len(batches) - 1, total)
        seen = {"lr": last_lr, "train_loss": job.loss_sum / max(1, job.loss_count)}
        norms.refresh(job, splits["train"].inputs, start)
        look(job, guards, splits["validation"], start, seen)
        stop_if_exploded(job)
        job.epoch, job.step, job.loss_sum, job.loss_count = job.epoch + 1, 0, 0.0, 0
        saver.save_if_due(stepper)


def look(job: Job, guards: Sequence[Guard], split: Split, start: int, seen: dict[str, Any]) -> None:
    """Evaluate on the validation rows, write it into the history and let the guards see it."""
    logits = logits_of(job.anatomy, split.inputs, start)
    loss, count = job.task.loss(logits.double(), split.targets)
    scores = {
        "validation_loss": float(loss) / count,
        "validation_accuracy": float((logits.argmax(-1) == split.targets).double().mean()),
    }
    if not math.isfinite(scores["validation_loss"]):
        raise WarmstartError(
            f"the loss on the validation rows is {scores['validation_loss']} after {job.steps} steps",
            "look at the model and the validation rows, or lower the rate (--set phases.0.lr=...)",
            "not-finite",
        )
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
    leave, classes = job.plan.phases[job.phase].leave, found[1].out_features
    solved = head.solve_head(found[1], features["train"], features["validation"], classes, leave)
    train = splits["train"]
    loss, count = job.task.loss(logits_of(job.anatomy, train.inputs, start), train.targets)
    job.steps += 1
    job.tell({"event": "solved", "phase": job.phase + 1, **solved})
    look(job, guards, splits["validation"], start, {"lr": 0.0, "train_loss": float(loss) / count})


def phase_learns_more(job: Job) -> bool:
    """Does anything but the head learn in the job's phase?"""
    return job.anatomy.chosen(job.plan.phases[job.phase].learn) != job.anatomy.names[-1:]


def count_learning(job: Job) -> int:
    """Parameters that some phase let learn."""
    names = set(job.moving)
    return sum(p.numel() for n, p in job.anatomy.model.named_parameters() if n in names and may_learn(p))
