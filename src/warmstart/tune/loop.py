"""The one training loop. Every strategy, every guard and every rival runs through these lines.

phases -> epochs -> steps: a step sums the loss over its answers, divides once by their number, adds the
guards' penalties, checks that all is finite, clips and moves. Layers below the first that learns are run once
and read from their cache. All randomness is made from (seed, phase, epoch, step), so that an interrupted
training goes on with the same bits.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from warmstart.base.errors import WarmstartError
from warmstart.base.events import Tell, nobody
from warmstart.base.types import Phase, Plan
from warmstart.models import vocabulary
from warmstart.models.ahead import read_ahead
from warmstart.models.anatomy import Anatomy, frozen_names, may_learn
from warmstart.models.device import repeatable
from warmstart.models.features import device_of
from warmstart.models.load import Pretrained
from warmstart.models.precision import AUTO, FP32
from warmstart.tasks._task import Task
from warmstart.tune import finite, norms, resume, together
from warmstart.tune.batch import IN_A_STEP, overrides
from warmstart.tune.check import check_crew, check_guards, check_plan
from warmstart.tune.crew import ALONE, Crew
from warmstart.tune.explosion import stop_if_exploded
from warmstart.tune.groups import optimiser
from warmstart.tune.guards import GUARDS
from warmstart.tune.job import Guard, Job, Split
from warmstart.tune.looks import look_at_all
from warmstart.tune.modes import MODES
from warmstart.tune.replays import replays
from warmstart.tune.retained import Retained
from warmstart.tune.schedule import factor
from warmstart.tune.shards import sharded
from warmstart.tune.signals import Stop, held
from warmstart.tune.solution import solution
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
    failed_saves: int = 0  # checkpoints that could not be written


def tune(
    pretrained: Pretrained,
    plan: Plan,
    task: Task,
    splits: Mapping[str, Split],
    keeping: Keeping | None = None,
    tell: Tell = nobody,
    crew: Crew = ALONE,
    retained: Retained | None = None,
) -> Trained:
    """Train the model in place by the plan; `splits` has "train" and "validation".

    With a `crew` several processes train one model: each calls this with the same plan, weights and rows,
    and each ends with the same model. `retained` is what guards against forgetting remember.

    Where plan.precision is "auto", nobody measured, and it is float32; so are all answers afterwards.
    With keeping.checkpoints a training that was broken off goes on where it was, and ends with the same bits
    (same machine, versions and number of threads). Raises WarmstartError for a plan that cannot be trained,
    where checkpoints of another training lie, and for numbers that are not finite.
    """
    with repeatable(device_of(pretrained.anatomy)):
        return carry_out(pretrained, plan, task, splits, keeping or Keeping(), tell, crew, retained)


def carry_out(
    pretrained: Pretrained,
    plan: Plan,
    task: Task,
    splits: Mapping[str, Split],
    keeping: Keeping,
    tell: Tell,
    crew: Crew,
    retained: Retained | None,
) -> Trained:
    """Check, take up what was begun, learn phase by phase, finish."""
    started = time.perf_counter()
    check_plan(plan, pretrained.anatomy)
    check_crew(plan, pretrained.anatomy, crew, task)
    pretrained.anatomy.precision = FP32 if plan.precision == AUTO else plan.precision
    job = new_job(pretrained.anatomy, plan, task, splits, tell, crew)
    job.retained = retained
    guards: list[Guard] = [GUARDS.build(table) for table in plan.guards]
    check_guards(guards, task)
    for guard in guards:
        guard.begin(job)
    with resume.Saver(job, guards, keeping.checkpoints, keeping.save_seconds, started) as saver:
        saver.allow_change = keeping.allow_change
        optimiser_state = saver.restore()
        finite.check_weights(job)
        while job.phase < len(plan.phases):
            run_phase(job, guards, keeping, saver, optimiser_state)
            optimiser_state = None
            job.phase, job.epoch, job.step, job.stop = job.phase + 1, 0, 0, False
            saver.save(None)
        first_look(job, guards, saver, job.splits, 0)
    for guard in sorted(guards, key=lambda guard: guard.turn):
        guard.finish(job)
    finite.check_weights(job)
    job.anatomy.model.eval()
    job.anatomy.model.zero_grad(set_to_none=True)
    job.anatomy.precision = FP32
    seconds = job.seconds + time.perf_counter() - started
    history = tuple(job.history)
    return Trained(seconds, job.steps, count_learning(job), history, job.proofs, saver.failed)


def new_job(
    anatomy: Anatomy,
    plan: Plan,
    task: Task,
    splits: Mapping[str, Split],
    tell: Tell,
    crew: Crew = ALONE,
) -> Job:
    learn = {name for phase in plan.phases for name in anatomy.chosen(phase.learn)}
    still = frozen_names(anatomy, learn)
    moving = tuple(name for name in anatomy.model.state_dict() if name not in still)
    return Job(plan, task, anatomy, splits, moving, tell if crew.first else nobody, crew=crew)


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
    first_look(job, guards, saver, splits, start)
    for guard in guards:
        guard.enter(job)
    if phase.solver == "logistic":
        solve(job, guards, splits, start)
    else:
        with few_words(job, guards, splits) as shorter, sharded(job.anatomy, start, job.crew) as job.shards:
            step_through(job, guards, phase, shorter, start, saver, optimiser_state)
        job.shards = None
    if fingerprint_of(job.anatomy, still) != before:
        raise RuntimeError(f"layers that were frozen in phase {job.phase + 1} have moved")
    if not job.crew.alone and not job.crew.agree(fingerprint_of(job.anatomy, job.moving)):
        raise RuntimeError(f"the weights of the processes differ after phase {job.phase + 1}")


def first_look(
    job: Job, guards: Sequence[Guard], saver: resume.Saver, splits: Mapping[str, Split], start: int
) -> None:
    """A look before the first step, or at weights of another plan, unless there was one."""
    if job.history and not saver.unseen:
        return
    with shown(job, guards):
        seen = evaluate(job, splits["validation"], start)
        record(job, guards, seen, {"lr": 0.0, "train_loss": None}, epoch=0)
    saver.unseen = False


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Python's collector would walk through all modules again and again; it leaves what is here now alone."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def few_words(
    job: Job, guards: Sequence[Guard], splits: Mapping[str, Split]
) -> Iterator[Mapping[str, Split]]:
    """Meanwhile only the rows of the vocabulary that occur take part.

    Guards that read or move weights hold their own beside the table, so that it stays whole for them.
    """
    guarded = overrides(guards, *IN_A_STEP, "shown")
    found = None if guarded else vocabulary.find(job.anatomy, (s.inputs for s in splits.values()))
    if found is None:
        yield splits
        return
    shorter = {name: replace(s, inputs=found.shortened(s.inputs)) for name, s in splits.items()}
    with vocabulary.short(found):
        job.vocabulary = found
        try:
            yield shorter
        finally:
            job.vocabulary = None


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
    stepper = optimiser(job.anatomy, phase, *(() if job.shards is None else (job.shards.part,)))
    if optimiser_state:
        resume.set_optimiser(stepper, optimiser_state, job.shards)
    mode = MODES.get(job.plan.mode)()
    asked = read_ahead(job.anatomy, splits["train"].inputs)
    with held(saver.folder is not None) as stop, quiet_collector(), asked as inputs:
        train, again = replace(splits["train"], inputs=inputs), replays(job, guards, stepper, start)
        while job.epoch < phase.epochs and not job.stop:
            batches = mode.batches(job)
            done, total = job.epoch * len(batches), phase.epochs * len(batches)
            while job.step < len(batches):
                rate = factor(phase, done + job.step, total)
                inputs.expect(together.coming(job, train, batches))
                if again is None or not again.step(train, batches[job.step], rate):
                    one_step(job, guards, stepper, train, batches[job.step], start, rate)
                after_step(job, phase, len(batches), stepper, saver, stop)
            last_lr = phase.lr * factor(phase, done + len(batches) - 1, total)
            seen = {"lr": last_lr, "train_loss": job.loss_sum / max(1, job.loss_count)}
            with shown(job, guards):
                scores = stop.unless_asked(lambda: look(job, splits, start), job.crew.alone)
                if scores is not None:
                    record(job, guards, scores, seen, job.epoch + 1)
            if scores is None:
                saver.put_down(stop, stepper)
            stop_if_exploded(job)
            job.epoch, job.step, job.loss_sum, job.loss_count = job.epoch + 1, 0, 0.0, 0
            saver.save_or_stop(stepper, stop)
    job.spare = bool  # what was recorded is of this phase alone


@contextmanager
def shown(job: Job, guards: Sequence[Guard]) -> Iterator[None]:
    """Meanwhile the weights are those that guards want looked at."""
    with ExitStack() as around:
        for guard in guards:
            around.enter_context(guard.shown(job))
        yield


def after_step(
    job: Job, phase: Phase, per_epoch: int, stepper: Optimizer, saver: resume.Saver, stop: Stop
) -> None:
    """Count, tell and save; ends the training where too much was skipped or somebody asked for it."""
    if job.skipped >= finite.MOST:
        saver.save(stepper)
        raise finite.too_many(job)
    job.step, job.steps = job.step + 1, job.steps + 1
    saver.progress(phase, per_epoch)
    saver.save_or_stop(stepper, stop)


def look(job: Job, splits: Mapping[str, Split], start: int) -> dict[str, float]:
    """Loss and accuracy on the validation rows, fresh norm statistics measured anew before."""
    norms.refresh(job, splits["train"].inputs, start)
    return evaluate(job, splits["validation"], start)


def evaluate(job: Job, split: Split, start: int) -> dict[str, float]:
    """Loss and accuracy on the validation rows. WarmstartError where weights or loss are not finite."""
    finite.check_weights(job)
    found = look_at_all(job, split, start)
    finite.check_validation(job, split, found)
    job.looked = found
    return {"validation_loss": found.loss, "validation_accuracy": found.accuracy}


def record(
    job: Job, guards: Sequence[Guard], scores: dict[str, float], seen: dict[str, Any], epoch: int
) -> None:
    """Write an evaluation into the history and let the guards see it; epoch 0 is before the first step."""
    place = {"phase": job.phase + 1 if job.history else 0, "epoch": epoch, "step": job.steps}
    untrained = not job.steps and not job.plan.pretrained  # even answers are no mark to be measured by
    above = {} if job.looked is None or untrained else job.lowest.seen(job.phase, job.looked)
    job.history.append({**place, **seen, **scores, **above})
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

    leave = job.plan.phases[job.phase].leave
    solved = solution(job, splits, start, found[1], leave)
    train_loss = look_at_all(job, splits["train"], start).loss
    job.steps += 1
    job.tell({"event": "solved", "phase": job.phase + 1, **solved})
    seen = {"lr": 0.0, "train_loss": train_loss}
    record(job, guards, evaluate(job, splits["validation"], start), seen, job.epoch + 1)


def phase_learns_more(job: Job) -> bool:
    """Does anything but the head learn in the job's phase?"""
    return job.anatomy.chosen(job.plan.phases[job.phase].learn) != job.anatomy.names[-1:]


def count_learning(job: Job) -> int:
    """Parameters that some phase let learn."""
    names = set(job.moving)
    return sum(p.numel() for n, p in job.anatomy.model.named_parameters() if n in names and may_learn(p))
