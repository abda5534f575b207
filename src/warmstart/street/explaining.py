"""Why the runs overfit, where they do: their numbers beside those of rows, other runs and probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from warmstart.base.probed import Probed
from warmstart.base.types import Bundle, Evidence, Facts, Finding, Plan, Run
from warmstart.decide.choose import plan_for
from warmstart.decide.strategies import STRATEGIES
from warmstart.evaluate.arms import best_seed
from warmstart.evaluate.causes._case import Case
from warmstart.evaluate.explain import explained
from warmstart.evaluate.overfit import seen
from warmstart.street import opening
from warmstart.street.stops import task_of


def explain(
    evidence: Evidence,
    arms: Mapping[str, Sequence[Run]],
    bundle: Bundle,
    facts: Facts,
    findings: Sequence[Finding],
    probed: Probed,
) -> Evidence:
    """The evidence with the likeliest causes of each run's overfitting in it."""
    best = {name: best_seed(arm) for name, arm in arms.items() if seen(best_seed(arm))}
    per_class = median_rows(bundle)
    told = {
        name: explained(
            evidence.overfitting[name],
            Case(
                run=run,
                gap=evidence.overfitting[name].gap,
                rows=len(bundle.train),
                per_class=per_class,
                onset=evidence.overfitting[name].onset,
                others={other: one for other, one in best.items() if other != name},
                findings=tuple(findings),
                looked=min(len(bundle.train), opening.RANKED_ROWS),
                labels=probed.labels if probed.labels and probed.labels.run == name else None,
                usual=usual_plan(run, facts),
            ),
        )
        for name, run in best.items()
    }
    return replace(evidence, overfitting={**evidence.overfitting, **told})


def median_rows(bundle: Bundle) -> float:
    """Training rows of the median class."""
    targets = task_of(bundle).targets(bundle, bundle.train).numpy()
    return float(np.median(np.bincount(targets, minlength=len(bundle.labels))))


def usual_plan(run: Run, facts: Facts) -> Plan | None:
    """What the rule makes of the run's strategy for these rows; None where there is no such strategy."""
    known = run.plan.strategy in STRATEGIES.names()
    return plan_for(run.plan.strategy, facts, run.plan.model, seed=run.plan.seed) if known else None
