"""After the tuning: had the race been right? The best of the losers, tuned as a whole beside the plan."""

from __future__ import annotations

from dataclasses import replace

from warmstart.base.types import Bundle, Candidate, Evidence, Plan, Race, Ranking, Reason, Run, Scored
from warmstart.evaluate.metrics import METRICS
from warmstart.street import deciding, training
from warmstart.street.folder import Trip

NAME = "runner-up"


def runner_up(trip: Trip, bundle: Bundle, ranking: Ranking, plan: Plan) -> dict[str, tuple[Run, ...]]:
    """The best of those that lost, tuned as a whole beside the plan, where that is asked for."""
    second = second_of(ranking, plan)
    if second is None or not trip.options.check_race:
        return {}
    facts = deciding.look(trip, bundle, ranking, second)
    asked_for = deciding.of_strategy(trip, plan.strategy)
    own, _ = deciding.proposed(asked_for, facts, second.candidate.source)
    rival = training.fair_rival(own, plan, training.fair_guards(plan))
    ready = training.prepare(trip, bundle, training.load_for(trip, rival, facts.modality))
    return training.carry_out_all(trip, {NAME: rival}, bundle, ready)


def second_of(ranking: Ranking, plan: Plan) -> Scored | None:
    """The best in the race of those from which the plan does not start."""
    if ranking.race is None or not plan.pretrained:
        return None
    out = {one.source for one in ranking.race.entrants if one.failed}
    others = [source for source in ranking.race.order if source != plan.model and source not in out]
    return next((s for source in others for s in ranking.scored if s.candidate.source == source), None)


def checked_by(ranking: Ranking, plan: Plan, evidence: Evidence) -> Ranking:
    """The ranking, its race with one more reason: what the runner-up came to, or that it was not tuned."""
    second, found = second_of(ranking, plan), ranking.race
    if found is None or second is None:
        return ranking
    reason = hindsight(second.candidate, found, evidence)
    return replace(ranking, race=replace(found, reasons=(*found.reasons, reason)))


def hindsight(second: Candidate, found: Race, evidence: Evidence) -> Reason:
    """Would the second have been the better start?"""
    rule = "race: the runner-up"
    gain = evidence.gains.get(NAME)
    if gain is None:
        price = next(one.price for one in found.entrants if one.source == second.source)
        saw = f"not tuned: about {price:,.0f} s, most of what the plan itself takes"
        return Reason(rule, saw, f"whether {second.name} would be better so: --set check_race=true tells")
    saw = (
        f"{gain.metric} of {evidence.recommended} minus that of {second.name} on {gain.n:,} test rows: "
        f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
    )
    sure = gain.low > 0 or gain.high < 0
    better = (gain.value < 0) == (METRICS.get(evidence.primary)().better == "higher")
    if not sure:
        so = f"these rows cannot tell whether {second.name} would have been better"
    elif better:
        so = f"{second.name} would have been better: start from it with --from {second.source}"
    else:
        so = f"{second.name} would have been worse: the race had been right"
    return Reason(rule, saw, so)
