"""Finished runs -> Evidence: what is recommended and why, what it gains over each rival, and the verdict.

Validation rows choose (`recommend`), test rows prove (`verdict`), and every number keeps its doubt
(`compare`; of several seeds `levels`).
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.types import Evidence, Gain, Run, SeedScore
from warmstart.evaluate.align import align
from warmstart.evaluate.arms import Arms, arms_of, best_seed, seeds_of, validation_loss
from warmstart.evaluate.compare import Sample, gain, measure, metrics, over_seeds, samples
from warmstart.evaluate.headline import Headline
from warmstart.evaluate.metrics import METRICS
from warmstart.evaluate.metrics._metric import Metric
from warmstart.evaluate.overfit import overfitting
from warmstart.evaluate.recommend import in_order, recommend
from warmstart.evaluate.significance import holm
from warmstart.evaluate.verdict import FLOOR, floor, put_on_trial


def weigh(
    planned: str,
    runs: Mapping[str, Run | Sequence[Run]],
    labels: tuple[str, ...],
    primary: str = "accuracy",
    seed: int = 0,
    taught: int = 0,
    barred: Container[str] = (),
) -> Evidence:
    """Weigh the planned run and its rivals; `labels` are the classes, `primary` is the verdict's metric.

    Runs in `barred` are compared and never recommended. `taught` is how many rows they learned from (0:
    unknown), of which "train" may be a sample. Every run has predictions for the same "validation" and "test"
    rows, and for "train" where it has a sample of the rows that it learned from. A name may stand for several
    runs that differ in their seed alone: then measures and gains are means over seeds, and what is said of
    one model (overfitting) is said of the one of lowest validation log-loss, which is shipped. The rule of
    the recommendation is in `recommend`, that of the verdict in the docstring of `verdict`. `gains` are in
    the primary metric, recommended minus rival, so a negative gain is good where lower is better. The same
    runs and seed give the same Evidence.

    Raises WarmstartError for an unknown run or metric, and for runs that did not answer the same rows.
    """
    if planned not in runs:
        raise WarmstartError(f"no run named {planned!r} to weigh", did_you_mean(planned, runs), "no-such-run")
    kind: Metric = METRICS.get(primary)()
    arms = aligned(arms_of(runs), len(labels))
    best = {name: best_seed(arm) for name, arm in arms.items()}
    own = {n: arm for n, arm in from_same_start(arms, planned).items() if n not in barred}
    recommended, why = recommend(own, kind, planned)
    found = _on_test_rows(arms, best[recommended], len(labels), seed)
    test = {name: sample for (name, metric), sample in found.items() if metric == primary}
    trial = put_on_trial(planned, recommended, own, in_order(own, kind), test)
    gains = {rival: gain(rival, test[recommended], test[rival]) for rival in arms if rival != recommended}
    gains = corrected(gains)
    return Evidence(
        verdict=trial.verdict,
        headline=str(Headline(trial, planned, recommended, best, test, gains)),
        recommended=recommended,
        why=why,
        primary=primary,
        metrics={name: {metric: measure(found[name, metric]) for metric in METRICS.names()} for name in arms},
        gains=gains,
        overfitting={name: seen for name, run in best.items() if (seen := overfitting(run, taught))},
        detectable=trial.detectable,
        seeds={name: seed_scores(name, arm, found) for name, arm in arms.items() if len(arm) > 1},
        shipped=best[recommended].name,
    )


def from_same_start(arms: Arms, planned: str) -> dict[str, tuple[Run, ...]]:
    """Without the arms from another pretrained model than the plan's: compared, and never recommended."""
    model = arms[planned][0].plan.model
    return {name: arm for name, arm in arms.items() if model is None or arm[0].plan.model in (None, model)}


def aligned(arms: Arms, classes: int) -> dict[str, tuple[Run, ...]]:
    """The arms, all runs with the same rows in the same order."""
    called = {
        name: [f"{name}, seed {s}" if len(arm) > 1 else name for s in seeds_of(arm)]
        for name, arm in arms.items()
    }
    flat = {key: run for name, arm in arms.items() for key, run in zip(called[name], arm, strict=True)}
    flat = align(flat, classes)
    return {name: tuple(flat[key] for key in keys) for name, keys in called.items()}


def corrected(gains: Mapping[str, Gain]) -> dict[str, Gain]:
    """The gains with their p corrected for being many."""
    p = holm({rival: gain.p for rival, gain in gains.items()})
    return {rival: replace(gain, p_holm=p[rival]) for rival, gain in gains.items()}


def seed_scores(
    name: str, arm: Sequence[Run], found: Mapping[tuple[str, str], Sample]
) -> tuple[SeedScore, ...]:
    """What the model of every seed reaches by itself."""
    return tuple(
        SeedScore(
            run.plan.seed,
            run.name,
            {metric: measure(found[name, metric].each[i]) for metric in METRICS.names()},
            validation_loss(run),
        )
        for i, run in enumerate(arm)
    )


def _on_test_rows(arms: Arms, shipped: Run, classes: int, seed: int) -> dict[tuple[str, str], Sample]:
    """Every metric of every arm, and of the floor: the mean over its seeds."""
    said = {(name, i): run.predictions["test"] for name, arm in arms.items() for i, run in enumerate(arm)}
    asked = metrics()
    found = samples({**said, (FLOOR, 0): floor(shipped, classes)}, asked, seed)
    counts = {**{name: len(arm) for name, arm in arms.items()}, FLOOR: 1}
    return {
        (name, metric): over_seeds([found[(name, i), metric] for i in range(count)])
        for name, count in counts.items()
        for metric in asked
    }
