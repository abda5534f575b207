"""What the pretrained weights are worth: the plan on the same rows from weights that say less than they did.

Noise is Gaussian, in each tensor of the body as large as a share of that tensor's own spread; or the upper
half of the body is put back to fresh weights. Norm statistics are measured anew on the training rows, so that
what is lost is lost by the weights. How good a start is, is said as of a candidate: by the out-of-fold
accuracy of a linear probe on its frozen features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from warmstart.base.probed import Dependency, Start
from warmstart.base.seeds import generator
from warmstart.base.tables import checked, to_table
from warmstart.base.types import Bundle, Facts, Measure, Plan, Ranking, Reason, Run
from warmstart.decide.strategies._depth import layers
from warmstart.evaluate.probes.weights import behind
from warmstart.models.anatomy import BATCH_NORMS
from warmstart.models.load import Pretrained
from warmstart.select.quality import probe_accuracy
from warmstart.select.sample import sample_rows
from warmstart.street import opening, stops, training
from warmstart.street.folder import Trip
from warmstart.street.training import Ready
from warmstart.street.trials import asked, trial
from warmstart.tune.norms import batches, measure

LEVELS = (0.1, 0.3, 1.0)  # noise, as a share of each tensor's standard deviation
SCRATCH, RUNNER_UP = "scratch", "runner-up"  # arms that are further starts, where they are there
PLAIN = {
    SCRATCH: "fresh weights, by the recipe of learning from scratch",
    RUNNER_UP: "the second-best candidate",
}

Alter = Callable[[Pretrained], None]


@dataclass(frozen=True)
class Weakened:
    """A start that is made from the plan's own."""

    name: str
    plain: str
    alter: Alter


def weakened(trip: Trip, plan: Plan, facts: Facts) -> list[Weakened]:
    """The trainings to do; none where no pretrained weights are there to be lost."""
    if not plan.pretrained:
        return []
    upper = upper_half(plan, facts)
    half = "fresh weights in " + " to ".join(dict.fromkeys((upper[0], upper[-1])))
    noisy = [
        Weakened(
            f"noise-{level:g}",
            f"noise of {level:g} times the spread of each tensor",
            partial(add_noise, level=level, seed=plan.seed),
        )
        for level in LEVELS
    ]
    return [*noisy, Weakened("fresh-upper-half", half, partial(freshen, trip=trip, plan=plan, groups=upper))]


def upper_half(plan: Plan, facts: Facts) -> tuple[str, ...]:
    """Names of the upper half of the groups of the body, of those that the plan's edits keep."""
    keep = [edit["keep"] for edit in plan.edits if edit["name"] == "drop_layers"]
    gone = layers(facts)[keep[0] :] if keep else ()
    kept = [name for name in facts.body if name not in gone]
    return tuple(kept[-max(1, len(kept) // 2) :])


def add_noise(pretrained: Pretrained, level: float, seed: int) -> None:
    """The same directions at every level, so that more noise is more of the same."""
    anatomy = pretrained.anatomy
    body = {id(p) for name in anatomy.names[:-1] for p in anatomy.parameters(name)}
    with torch.no_grad():
        for name, tensor in pretrained.module.named_parameters():
            if id(tensor) in body:
                drawn = generator(seed, "weights", name).standard_normal(tuple(tensor.shape), np.float32)
                spread = float(tensor.std(correction=0))
                tensor += level * spread * torch.from_numpy(np.asarray(drawn)).to(tensor.device)


def freshen(pretrained: Pretrained, trip: Trip, plan: Plan, groups: Sequence[str]) -> None:
    """Put fresh weights of the same architecture into these groups."""
    fresh = training.load_for(trip, replace(plan, pretrained=False), pretrained.modality)
    for name in groups:
        ours, theirs = (one.anatomy.groups[one.anatomy.index(name)].modules for one in (pretrained, fresh))
        for into, new in zip(ours, theirs, strict=True):
            into.load_state_dict(new.state_dict())


def dependency(
    trip: Trip,
    work: Sequence[Weakened],
    arms: Mapping[str, Sequence[Run]],
    plan: Plan,
    bundle: Bundle,
    ranking: Ranking,
    ready: Ready,
) -> Dependency:
    """Tune from every weakened start and compare with the plan's own run; those of one seed alone."""
    if not work:
        saw = f"{plan.strategy} starts from fresh weights"
        why = Reason("pretrained weights: a plan that starts from them", saw, "there are none to lose")
        return Dependency(plan.strategy, None, None, refused=why)
    judged = {name: asked(ready, name) for name in ("validation", "test")}
    every = np.arange(len(bundle.train))
    runs, plain = {plan.strategy: arms[plan.strategy][0]}, dict(PLAIN)
    qualities = {plan.strategy: known_quality(ranking, plan)}
    for one in work:
        change = partial(changed, trip=trip, plan=plan, bundle=bundle, ready=ready, alter=one.alter)
        name = f"weights-{one.name}"
        run = trial(trip, name, plan, bundle, ready, every, judged, change=change, changed=one.plain)
        runs[one.name], plain[one.name] = run, one.plain
        qualities[one.name] = checked(Measure | None, run.proofs["quality"], f"trials/{name}/run.json")
    for name in (RUNNER_UP, SCRATCH):
        if name in arms:
            runs[name] = arms[name][0]
            qualities[name] = quality_of(trip, runs[name], bundle, ranking)
    accuracy, gains = behind(plan.strategy, runs)
    return Dependency(
        run=plan.strategy,
        quality=qualities[plan.strategy],
        accuracy=accuracy[plan.strategy],
        starts=tuple(Start(n, plain[n], qualities[n], accuracy[n], gains[n]) for n in gains),
        trainings=len(work),
        seconds=sum(runs[one.name].seconds for one in work),
    )


def changed(
    pretrained: Pretrained, trip: Trip, plan: Plan, bundle: Bundle, ready: Ready, alter: Alter
) -> dict[str, object]:
    """Alter the weights, and measure what they are still worth before anything is tuned."""
    alter(pretrained)
    inputs = ready.splits["train"].inputs
    norms = [m for m in pretrained.module.modules() if isinstance(m, BATCH_NORMS)]
    measure(pretrained.anatomy, norms, inputs, batches(len(inputs), plan.batch, plan.seed))
    return {"quality": to_table(quality(trip, pretrained, bundle))}


def quality(trip: Trip, pretrained: Pretrained, bundle: Bundle) -> Measure | None:
    """By the probe, the rows and the folds with which the candidates were ranked."""
    task, seed = stops.task_of(bundle), trip.options.seed
    labels_N = task.targets(bundle, bundle.train).numpy()
    groups_N = stops.group_numbers(bundle, bundle.train)
    chosen = sample_rows(labels_N, groups_N, opening.RANKED_ROWS, seed)
    features, _ = opening.look_through(trip, pretrained, task, bundle, [bundle.train[i] for i in chosen])
    return probe_accuracy(features, labels_N[chosen], None if groups_N is None else groups_N[chosen], seed)


def known_quality(ranking: Ranking, plan: Plan) -> Measure | None:
    """What the ranking measured of the plan's model; None where it could not."""
    found = [one.accuracy for one in ranking.scored if one.candidate.source == plan.model]
    return found[0] if found and found[0].n else None


def quality_of(trip: Trip, run: Run, bundle: Bundle, ranking: Ranking) -> Measure | None:
    """Of another arm: the ranking knows pretrained ones, fresh ones are measured."""
    if run.plan.pretrained:
        return known_quality(ranking, run.plan)
    modality = stops.task_of(bundle).modality
    return quality(trip, training.load_for(trip, run.plan, modality), bundle)
