"""What every tuned run has forgotten: measured on rows that chose nothing, beside the source itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from warmstart.base.forgetting import Forgetting, Forgot, Lost
from warmstart.base.types import Bundle, Measure, Plan, Reason, Run
from warmstart.evaluate.arms import best_seed
from warmstart.evaluate.drift import divergence, similarity
from warmstart.evaluate.intervals import bonett_price_of_means, wilson_of_means
from warmstart.evaluate.roles import as_it_is, fine_tuned
from warmstart.models.features import pooled_features
from warmstart.models.inputs import Inputs, Some
from warmstart.models.load import Pretrained
from warmstart.select.quality import probe_accuracy
from warmstart.street.folder import Trip
from warmstart.street.grafting import Way, way_to
from warmstart.street.retention import Remembered
from warmstart.street.stops import task_of
from warmstart.street.training import Ready
from warmstart.tasks._classification import Classification
from warmstart.tune.memory import Limits, logits_in_parts

ROWS = 512  # at most so many tell how far features and answers have moved
Floats = NDArray[np.float64]
NO_HEAD = "the source has no trained head of its own: what it knew cannot be asked for; give --retain rows"


def measured(
    trip: Trip,
    plan: Plan,
    arms: Mapping[str, Sequence[Run]],
    bundle: Bundle,
    ready: Ready,
    source: Pretrained,
    kept: Remembered | None,
) -> Forgetting:
    """What each arm that was tuned from the plan's model has lost; of several seeds the best."""
    task, found = task_of(bundle), []
    moved = few(ready.splits["test"].inputs)
    for name, arm in arms.items():
        run = best_seed(arm)
        if not learned_from(run, plan) or not trip.path("training", run.name, "model").is_dir():
            continue
        way = way_to(trip, run.name, run.plan, bundle, source)
        way.stand(1)
        found.append(forgot(trip, name, way, source, moved, kept, task))
    plain = kept.plain if kept else "none"
    refused = None if kept else Reason("forgetting: what the source knew", NO_HEAD, "only drift is measured")
    return Forgetting(str(plan.model), plain, tuple(found), refused=refused)


def learned_from(run: Run, plan: Plan) -> bool:
    return fine_tuned(run) and not as_it_is(run) and run.plan.model == plan.model


def few(inputs: Inputs) -> Inputs:
    """Some of the rows, spread over all of them."""
    if len(inputs) <= ROWS:
        return inputs
    return Some(inputs, np.unique(np.linspace(0, len(inputs) - 1, ROWS).round().astype(np.int64)))


def forgot(
    trip: Trip,
    name: str,
    way: Way,
    source: Pretrained,
    moved: Inputs,
    kept: Remembered | None,
    task: Classification,
) -> Forgot:
    """The way's model, where it stands, beside the source."""
    cka = similarity(top(source, way, moved), top(way.source, way, moved))
    if kept is None:
        return Forgot(name, None, cka, None, None)
    before, after = (task.probabilities(scores(one, moved)) for one in (source, way.source))
    return Forgot(
        run=name,
        kl=divergence(before, after),
        cka=cka,
        retained=retained(source, way, kept),
        probe=probed(trip, source, way, kept),
    )


def scores(pretrained: Pretrained, inputs: Inputs) -> torch.Tensor:
    return logits_in_parts(pretrained.anatomy, inputs, 0, Limits())


def top(pretrained: Pretrained, way: Way, inputs: Inputs) -> Floats:
    """Features after the highest group of the source that the tuned model still has."""
    return pooled_features(pretrained.anatomy, inputs)[way.top].astype(np.float64)


def retained(source: Pretrained, way: Way, kept: Remembered) -> Lost:
    """Rows that prove, answered by the source's own head above either body."""
    truth_N = kept.proving.targets
    before_N, after_N = (right(scores(one, kept.proving.inputs), truth_N) for one in (source, way.source))
    name, how = ("right", "by their labels") if kept.labelled else ("agrees", "by what the source answers")
    return lost(name, before_N, after_N, kept.chance, f"{len(truth_N):,} of {kept.plain}; {how}")


def right(scores_NK: torch.Tensor, truth_N: torch.Tensor) -> Floats:
    found: Floats = (scores_NK.argmax(-1).cpu() == truth_N).double().numpy()
    return found


def lost(name: str, before_N: Floats, after_N: Floats, chance: float, how: str) -> Lost:
    """Shares of rows before and after, and the paired difference."""
    lost_N = before_N - after_N
    low, high = bonett_price_of_means(lost_N)
    if name == "agrees":
        low = max(0.0, low)
    value, before = float(lost_N.mean()), float(before_N.mean())
    difference = Measure("lost", value, low, high, len(lost_N), "paired, Bonett-Price")
    above = before - chance
    return Lost(name, share(before_N), share(after_N), difference, value / above if above > 0 else None, how)


def share(right_N: Floats) -> Measure:
    return Measure("accuracy", float(right_N.mean()), *wilson_of_means(right_N, 1), len(right_N), "Wilson")


def probed(trip: Trip, source: Pretrained, way: Way, kept: Remembered) -> Lost | None:
    """A linear probe learned anew on either body's features of the rows that prove: lost, or only moved?"""
    truth_N = kept.proving.targets.numpy()
    found = [
        probe_accuracy({"top": top(one, way, kept.proving.inputs)}, truth_N, None, trip.options.seed)
        for one in (source, way.source)
    ]
    before, after = found
    if before is None or after is None:
        return None
    value = before.value - after.value
    wide = float(np.hypot(before.high - before.low, after.high - after.low)) / 2
    difference = Measure("lost", value, value - wide, value + wide, before.n, "of two probes, unpaired")
    above = before.value - kept.chance
    how = f"a linear probe learned anew on {before.n:,} rows, out of fold"
    return Lost("probe", before, after, difference, value / above if above > 0 else None, how)
