"""Is a plan one that can be trained? Said before the first step, with the place in plan.yaml."""

from collections.abc import Sequence
from math import inf
from typing import Any

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.types import Phase, Plan
from warmstart.models.anatomy import Anatomy
from warmstart.models.precision import PRECISIONS
from warmstart.tasks._classification import Classification
from warmstart.tasks._task import Task
from warmstart.tune.batch import IN_A_STEP, overrides
from warmstart.tune.crew import Crew
from warmstart.tune.guards import GUARDS
from warmstart.tune.job import Guard
from warmstart.tune.schedule import SHAPES

SOLVERS = ("adamw", "logistic")
STATISTICS = ("frozen", "learn")


def check_plan(plan: Plan, anatomy: Anatomy) -> None:
    """Raise WarmstartError for values that no training can have."""
    if not plan.phases:
        raise WarmstartError("the plan has no phase", "give a phase with `learn: ['*']`", "wrong-value")
    within("batch", plan.batch, 1, inf)
    within("micro_batch", plan.micro_batch, 0, inf)
    within("clip", plan.clip, 0, inf, above=True)
    one_of("norm_statistics", plan.norm_statistics, STATISTICS)
    one_of("precision", plan.precision, PRECISIONS)
    for number, phase in enumerate(plan.phases):
        check_phase(f"phases.{number}", phase, anatomy)


def check_crew(plan: Plan, anatomy: Anatomy, crew: Crew, task: Task | None = None) -> None:
    """Raise WarmstartError for a plan that several processes cannot follow as one would."""
    if not crew.alone and batch_statistics(plan, anatomy):
        raise WarmstartError(
            f"plan: norm_statistics = 'learn', and each of {crew.size} processes would see but its own rows",
            "set norm_statistics: frozen, or train in one process",
            "needs-one-process",
        )
    if crew.sharded and task is not None and task.fused:
        raise WarmstartError(
            f"task {plan.task!r} reads the weights of the output layer for its loss; --shard divides them",
            "leave out --shard",
            "cannot-shard",
        )
    for guard in plan.guards if crew.sharded else ():
        if overrides([GUARDS.build(guard)], *IN_A_STEP, "shown"):
            raise WarmstartError(
                f"guard {guard['name']!r} reads all weights in every step; sharded ones are never together",
                "take the guard out, or leave out --shard",
                "cannot-shard",
            )


def check_guards(guards: Sequence[Guard], task: Task) -> None:
    """Raise WarmstartError for guards that need a loss which this task does not have, or exclude others."""
    for guard in guards:
        classes = guard.remembers or overrides([guard], "change", "beside")
        if classes and not isinstance(task, Classification):
            raise WarmstartError(
                f"guard {name_of(guard)!r} is about the loss of classes; {type(task).__name__} has none",
                "take the guard out of the plan",
                "wrong-guard",
            )
    mixing = next((guard for guard in guards if guard.mixes), None)
    knowing = next((guard for guard in guards if guard.by_row), None)
    if mixing is not None and knowing is not None:
        raise WarmstartError(
            f"guard {name_of(mixing)!r} makes new rows out of several, and {name_of(knowing)!r} knows only "
            "those of the data",
            "take one of the two out of the plan",
            "wrong-guard",
        )


def name_of(guard: Guard) -> str:
    """What plan.yaml calls it."""
    return type(guard).__module__.rsplit(".", 1)[-1]


def batch_statistics(plan: Plan, anatomy: Anatomy) -> bool:
    """Does a step depend on which rows go through the network together?"""
    return plan.norm_statistics == "learn" and anatomy.has_batch_norm and steps(plan)


def steps(plan: Plan) -> bool:
    """Is there anything that processes can divide among them?"""
    return any(phase.solver == "adamw" for phase in plan.phases)


def check_phase(where: str, phase: Phase, anatomy: Anatomy) -> None:
    if not anatomy.chosen(phase.learn):
        raise WarmstartError(
            f"{where}: nothing learns in it", "name layer groups, for example `learn: ['*']`", "wrong-value"
        )
    within(f"{where}.lr", phase.lr, 0, inf, above=True)
    within(f"{where}.head_lr", phase.head_lr, 0, inf)
    within(f"{where}.leave", phase.leave, 0, 1)
    within(f"{where}.epochs", phase.epochs, 1, inf)
    within(f"{where}.decay", phase.decay, 0, 1, above=True)
    within(f"{where}.warmup", phase.warmup, 0, 1)
    within(f"{where}.weight_decay", phase.weight_decay, 0, inf)
    one_of(f"{where}.schedule", phase.schedule, SHAPES)
    one_of(f"{where}.solver", phase.solver, SOLVERS)


def within(where: str, value: float, low: float, high: float, above: bool = False) -> None:
    """Refuse numbers outside low to high; `above` refuses low as well, and nothing is infinite."""
    if not low <= value <= high or (above and value == low) or value == inf:
        least = f"above {low:g}" if above else f"from {low:g}"
        most = "" if high == inf else f" to {high:g}"
        raise WarmstartError(f"plan: {where} = {value!r}", f"write a number {least}{most}", "wrong-value")


def one_of(where: str, value: str, known: Any) -> None:
    if value not in known:
        raise WarmstartError(f"plan: {where} = {value!r}", did_you_mean(value, known), "wrong-value")
