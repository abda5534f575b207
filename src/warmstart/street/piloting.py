"""Before the plan: what every strategy would take, and short trials of those that may be the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from warmstart.adapt.apply import apply
from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_table, write_json
from warmstart.base.tables import checked
from warmstart.base.types import Bundle, Facts, Finding, Measure, Pilot, Plan, Ranking, Run
from warmstart.decide.choose import consider, plan_for
from warmstart.decide.pilots import FEWEST, Ask, which
from warmstart.decide.record import REFERENCE
from warmstart.evaluate.intervals import bonett_price_of_means, wilson_of_means
from warmstart.street import deciding, pricing, training
from warmstart.street.budget import seconds_left
from warmstart.street.folder import Trip
from warmstart.street.stops import task_of
from warmstart.street.training import RIVALS, Ready
from warmstart.street.trials import asked, deal, trial

SUITED = 0.5  # how well a strategy must suit to be tried where no record reaches
JUDGED = "judged"

Floats = NDArray[np.float64]


def facts_of(trip: Trip, bundle: Bundle, ranking: Ranking, ready: Ready) -> tuple[Facts, tuple[Finding, ...]]:
    """Everything that the decision may look at. Leaves facts.json, read again if it is of this model."""
    path, source = trip.path("facts.json"), deciding.start(trip, ranking).candidate.source
    if path.is_file():
        table = read_table(path, "delete it, and it is made anew", "bad-run")
        if table.get("model") == source:
            noticed = checked(tuple[Finding, ...], table.get("findings"), str(path))
            return checked(Facts, table.get("facts"), str(path)), noticed
    facts = deciding.look(trip, bundle, ranking)
    findings: tuple[Finding, ...] = ()
    if trip.options.pilots and not trip.options.strategy:
        facts, findings = tried(trip, bundle, facts, source, ready)
    write_json(path, {"model": source, "facts": facts, "findings": findings})
    return facts, findings


def tried(
    trip: Trip, bundle: Bundle, facts: Facts, model: str, ready: Ready
) -> tuple[Facts, tuple[Finding, ...]]:
    """The facts with what cannot be done, prices and pilots, and what was noticed."""
    plans = {o.strategy: plan_for(o.strategy, facts, model, seed=trip.options.seed) for o in consider(facts)}
    facts = replace(facts, cannot=cannot(trip, plans, bundle))
    plans = {name: plan for name, plan in plans.items() if name not in facts.cannot}
    if REFERENCE not in plans or (facts.rows < 2 * FEWEST and not trip.options.budget):
        return facts, ()
    pace = pricing.paces(trip, plans, facts, bundle, ready, plans[REFERENCE])
    prices, counted = (pricing.prices(plans, facts, one, bundle) for one in (pace.timed, pace.counted))
    efforts = {name: cost.seconds for name, cost in counted.items()}
    facts = replace(facts, prices=prices, efforts=efforts, seconds_left=seconds_left(trip))
    suited = [o.strategy for o in consider(facts) if o.suits >= SUITED]
    ask = which(facts, (REFERENCE, *RIVALS), suited)
    facts = replace(facts, asked=ask.reason)
    try:
        pilots = carried_out(trip, ask, plans, bundle, ready)
    except WarmstartError as error:
        return facts, (Finding("pilots", "warning", error.wrong, f"decided without pilots; {error.do}", 1),)
    return replace(facts, pilots=pilots, seconds_left=seconds_left(trip)), ()


def cannot(trip: Trip, plans: Mapping[str, Plan], bundle: Bundle) -> dict[str, str]:
    """Strategies whose edits this model cannot bear, and why."""
    found, known = {}, {}
    model = training.load_for(trip, plans[REFERENCE], task_of(bundle).modality)
    for name, plan in plans.items():
        key = repr(plan.edits)
        if key not in known:
            try:
                apply(model, plan.edits, bundle.labels, plan.seed)
                known[key] = ""
            except WarmstartError as error:
                known[key] = error.wrong
        if known[key]:
            found[name] = known[key]
    return found


def carried_out(
    trip: Trip, ask: Ask, plans: Mapping[str, Plan], bundle: Bundle, ready: Ready
) -> tuple[Pilot, ...]:
    """The trials that are asked for, the reference first, all judged on the same training rows."""
    if not ask.strategies:
        return ()
    dealt = deal(bundle, trip.options.seed)
    teaching, judged = dealt.first(ask.rows), {JUDGED: asked(ready, "train", dealt.judging)}
    runs = {
        name: trial(trip, f"pilot-{name}", plans[name], bundle, ready, teaching, judged)
        for name in ask.strategies
    }
    return tuple(pilot(name, run, runs[REFERENCE], len(teaching)) for name, run in runs.items())


def pilot(name: str, run: Run, reference: Run, rows: int) -> Pilot:
    """What a trial says of a strategy, beside the trial of the reference."""
    beside = None if name == REFERENCE else ahead_of(hits(run), hits(reference))
    return Pilot(name, rows, share_of(hits(run)), beside, run.seconds)


def hits(run: Run) -> Floats:
    said = run.predictions[JUDGED]
    right_N: Floats = (said.answers == said.truth).astype(np.float64)
    return right_N


def share_of(right_N: Floats) -> Measure:
    """Accuracy, from the rows that were answered right."""
    return Measure("accuracy", float(right_N.mean()), *wilson_of_means(right_N, 1), len(right_N), "Wilson")


def ahead_of(right_N: Floats, reference_N: Floats) -> Measure:
    """Accuracy minus that of the reference on the same rows."""
    more_N = right_N - reference_N
    low, high = bonett_price_of_means(more_N)
    name = f"accuracy beside {REFERENCE}"
    return Measure(name, float(more_N.mean()), low, high, len(more_N), "Bonett and Price")
