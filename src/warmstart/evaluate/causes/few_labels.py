"""Few labels: so few rows of each class that their peculiarities pass for what makes the class."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warmstart.base.types import Cause, Measure
from warmstart.evaluate.causes._case import NATS, Case
from warmstart.evaluate.intervals import standard_error
from warmstart.evaluate.roles import fine_tuned, head_alone

HELPS = 0.7  # strength where the learning curve shows that as many labels again surely help
LITTLE = 0.01  # of accuracy: a curve that rules out more than this says that labels are not what lacks
MORE = 0.1  # strength that a frozen head which does as well adds


@dataclass(frozen=True)
class FewLabels:
    """One half at ten rows of the median class, more with fewer; a learning curve, where known, overrules."""

    def look(self, case: Case) -> Cause:
        strength = case.scarcity
        seen = {"rows of the median class": case.per_class, "rows": float(case.rows)}
        why = [f"{case.per_class:,g} training rows in the median class"]
        gain = doubled(case)
        if gain is not None:
            seen["gain of as many labels again"] = gain.value
            why.append(
                f"the learning curve gives {100 * gain.value:.1f} points ({100 * gain.low:.1f} to "
                f"{100 * gain.high:.1f}) for {gain.n:,} more"
            )
            strength = max(strength, HELPS) if gain.low > 0 else strength
            strength = strength / 2 if gain.high < LITTLE else strength
        if (apart := frozen_is_as_good(case)) is not None:
            seen["validation loss of frozen minus this"] = apart
            why.append(f"a frozen head does as well on validation rows ({apart:+.3f} nats)")
            strength += MORE
        return Cause("few labels", "; ".join(why), seen, min(0.95, strength), "; ".join(advice(case)))


def doubled(case: Case) -> Measure | None:
    """What the learning curve says of about as many labels again."""
    if case.labels is None or not case.labels.worth:
        return None
    near = min(case.labels.worth, key=lambda worth: abs(worth.more - case.rows))
    gain = near.gain
    return Measure(gain.name, gain.value, gain.low, gain.high, near.more, gain.how)


def frozen_is_as_good(case: Case) -> float | None:
    """Log-loss of the frozen rival minus the run's, where no more than its noise; None where it is worse."""
    rival = case.others.get("frozen")
    more_learns = any(not head_alone(phase) for phase in case.run.plan.phases)
    if rival is None or not fine_tuned(case.run) or not more_learns:
        return None
    ours, theirs = (run.predictions["validation"] for run in (case.run, rival))
    if len(ours.rows) < 2 or not np.array_equal(ours.rows, theirs.rows):
        return None
    apart_N = NATS.rows(theirs.truth, theirs.probabilities) - NATS.rows(ours.truth, ours.probabilities)
    apart = float(apart_N.mean())
    return apart if apart <= standard_error(apart_N) else None


def advice(case: Case) -> Iterator[str]:
    yield "label more rows (warmstart label picks those that teach most)"
    if case.labels is None:
        yield "warmstart prove --probe labels says what they would bring"
    if frozen_is_as_good(case) is not None:
        yield "until then take --strategy frozen"


CAUSE = FewLabels
