"""Finished runs -> Evidence: what is recommended and why, what it gains over each rival, and the verdict.

Validation rows choose (`recommend`), test rows prove (`verdict`), and every number keeps its doubt
(`compare`).
"""

from collections.abc import Mapping

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.types import Evidence, Run
from warmstart.evaluate.align import align
from warmstart.evaluate.compare import Sample, gain, measure, metrics, samples
from warmstart.evaluate.headline import Headline
from warmstart.evaluate.metrics import METRICS
from warmstart.evaluate.metrics._metric import Metric
from warmstart.evaluate.overfit import overfitting
from warmstart.evaluate.recommend import in_order, recommend
from warmstart.evaluate.verdict import FLOOR, floor, put_on_trial


def weigh(
    planned: str, runs: Mapping[str, Run], labels: tuple[str, ...], primary: str = "accuracy", seed: int = 0
) -> Evidence:
    """Weigh the planned run and its rivals; `labels` are the classes, `primary` is the verdict's metric.

    Every run has predictions for the same "validation" and "test" rows, and for "train" where it has a sample
    of the rows that it learned from. The rule of the recommendation is in `recommend`, that of the verdict in
    the docstring of `verdict`. `gains` are in the primary metric, recommended minus rival, so a negative gain
    is good where lower is better. The same runs and seed give the same Evidence.

    Raises WarmstartError for an unknown run or metric, and for runs that did not answer the same rows.
    """
    if planned not in runs:
        raise WarmstartError(f"no run named {planned!r} to weigh", did_you_mean(planned, runs), "no-such-run")
    kind: Metric = METRICS.get(primary)()
    runs = align(runs, len(labels))
    recommended, why = recommend(runs, kind)
    found = _on_test_rows(runs, recommended, len(labels), seed)
    test = {run: sample for (run, metric), sample in found.items() if metric == primary}
    trial = put_on_trial(planned, recommended, runs, in_order(runs, kind), test)
    gains = {rival: gain(rival, test[recommended], test[rival]) for rival in runs if rival != recommended}
    return Evidence(
        verdict=trial.verdict,
        headline=str(Headline(trial, planned, recommended, runs, test, gains)),
        recommended=recommended,
        why=why,
        primary=primary,
        metrics={run: {metric: measure(found[run, metric]) for metric in METRICS.names()} for run in runs},
        gains=gains,
        overfitting={name: seen for name, run in runs.items() if (seen := overfitting(run))},
        detectable=trial.detectable,
    )


def _on_test_rows(
    runs: Mapping[str, Run], recommended: str, classes: int, seed: int
) -> dict[tuple[str, str], Sample]:
    said = {name: run.predictions["test"] for name, run in runs.items()}
    return samples(said | {FLOOR: floor(runs[recommended], classes)}, metrics(), seed)
