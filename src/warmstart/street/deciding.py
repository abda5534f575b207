"""The stop where the plan is made: facts, strategy, plan.yaml, and what a person changed in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.types import Bundle, Facts, Option, Plan, Ranking, Scored
from warmstart.decide.choose import choose, consider, plan_for
from warmstart.decide.plan_file import apply_settings, read_plan, write_plan
from warmstart.decide.strategies import STRATEGIES
from warmstart.models.load import Pretrained
from warmstart.street import by_hand
from warmstart.street.another_strategy import another_strategy, check_kind
from warmstart.street.folder import Trip
from warmstart.street.opening import open_model
from warmstart.street.parts import check_parts
from warmstart.street.stops import task_of


def start(trip: Trip, ranking: Ranking) -> Scored:
    """The model to start from: the best, or the one that plan.yaml names."""
    path = trip.path("plan.yaml")
    if not path.is_file():
        return ranking.best
    named = read_plan(path).model
    for scored in ranking.scored:
        if scored.candidate.source == named:
            return scored
    known = [scored.candidate.source for scored in ranking.scored]
    raise WarmstartError(
        f"{path}: model {named!r} was not ranked",
        f"{did_you_mean(str(named), known)} Or start anew with --from.",
        "unranked-model",
    )


def opened(trip: Trip, bundle: Bundle, ranking: Ranking, chosen: Scored | None = None) -> Pretrained:
    """The model to start from, or the chosen one."""
    return open_model(trip, (chosen or start(trip, ranking)).candidate.source, task_of(bundle))


def look(trip: Trip, bundle: Bundle, ranking: Ranking, chosen: Scored | None = None) -> Facts:
    """Everything that the decision may look at; of the model to start from, or the chosen one."""
    task, chosen = task_of(bundle), chosen or start(trip, ranking)
    pretrained = opened(trip, bundle, ranking, chosen)
    targets = task.targets(bundle, bundle.train)
    counts = np.bincount(targets.numpy(), minlength=len(bundle.labels))
    part = pretrained.anatomy.part
    is_first = chosen.candidate.source == ranking.first_by_score  # what the baseline was measured against
    return Facts(
        task=bundle.task,
        modality=task.modality,
        rows=len(bundle.train),
        classes=len(bundle.labels),
        fewest_per_class=int(counts.min()),
        median_per_class=float(np.median(counts)),
        floor=task.floor(targets),
        probe=chosen.accuracy.value,
        groups=pretrained.anatomy.names,
        depths=chosen.depths,
        parameters=pretrained.parameters,
        pretrained=True,
        head_is_linear=pretrained.anatomy.head_is_linear,
        can_pool=part.can_pool(pretrained.module),
        can_cut=part.can_cut,
        has_batch_norm=pretrained.anatomy.has_batch_norm,
        measured=chosen.accuracy.n > 0,
        baseline=ranking.baseline.accuracy.value if ranking.baseline else None,
        lead=ranking.baseline.lead if ranking.baseline and is_first else None,
    )


def decide(trip: Trip, facts: Facts, ranking: Ranking) -> tuple[Plan, tuple[Option, ...]]:
    """The plan; a plan.yaml that lies in the folder already is followed, and what was changed in it said."""
    path = trip.path("plan.yaml")
    plan, options = proposed(trip, facts, start(trip, ranking).candidate.source)
    if not path.is_file():
        check_kind(plan, "the plan")
        check_parts(plan)
        write_plan(plan, options, path)
        return plan, options
    written = read_plan(path)
    STRATEGIES.module_of(written.strategy)
    if written.strategy != plan.strategy:
        as_written, _ = proposed(of_strategy(trip, written.strategy), facts, plan.model or "")
        written, plan = another_strategy(written, plan, as_written, path), as_written
        if written != read_plan(path):
            trip.tell({"event": "note", "what": f"{path.name}: phases and edits now follow {plan.strategy}"})
            write_plan(written, options, path)
    check_kind(written, str(path))
    check_parts(written)
    return follow(written, plan, path), options


def of_strategy(trip: Trip, strategy: str) -> Trip:
    """The trip as if this strategy had been asked for."""
    return replace(trip, options=replace(trip.options, strategy=strategy))


def proposed(trip: Trip, facts: Facts, model: str) -> tuple[Plan, tuple[Option, ...]]:
    """The plan that these facts and what was asked for give, and all that was considered."""
    asked = trip.options
    if asked.strategy:
        plan, options = plan_for(asked.strategy, facts, model, seed=asked.seed, asked=True), consider(facts)
    else:
        plan, options = choose(facts, model, seed=asked.seed)
    return apply_settings(plan, asked.settings), options


def follow(written: Plan, decided: Plan, path: Path) -> Plan:
    """The plan as it is written; its reasons are those of the decided one, and what was changed by hand."""
    if written.task != decided.task:
        raise WarmstartError(
            f"{path}: task is {written.task!r}, and the data make it {decided.task!r}",
            "leave the task as it was, or start anew with --task",
            "unfit-task",
        )
    changed = apply_settings(decided, by_hand.settings(decided, written))
    return replace(written, reasons=changed.reasons)


def command(trip: Trip, facts: Facts, ranking: Ranking, plan: Plan) -> str:
    """The command line that does the same, with what was changed in plan.yaml as settings."""
    assert plan.model is not None
    decided, _ = proposed(trip, facts, plan.model)
    if plan.strategy != decided.strategy:
        trip = of_strategy(trip, plan.strategy)
        decided, _ = proposed(trip, facts, plan.model)
    other = plan.model != ranking.best.candidate.source
    asked = replace(trip.options, models=(plan.model,)) if other else trip.options
    return asked.command(by_hand.settings(decided, plan))
