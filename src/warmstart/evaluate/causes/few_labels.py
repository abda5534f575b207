"""Few labels: so few rows of each class that their peculiarities pass for what makes the class."""

from collections.abc import Iterator
from dataclasses import dataclass

from warmstart.base.types import Cause, Measure
from warmstart.evaluate.causes._case import Case
from warmstart.evaluate.roles import from_scratch

HELPS = 0.7  # strength where the learning curve shows that as many labels again surely help
LITTLE = 0.01  # of accuracy: a curve that rules out more than this says that labels are not what lacks
MORE, FRESH = 0.1, 0.2  # strength that a frozen head which does as well adds, beside fresh weights more


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
        ahead = case.frozen_ahead
        if ahead is not None and ahead.value >= 0:
            seen["validation loss above that of frozen, nats"] = ahead.value
            why.append(f"a frozen head does as well on validation rows ({ahead.value:.3f} nats better)")
            strength += FRESH if from_scratch(case.run) else MORE
        return Cause("few labels", "; ".join(why), seen, min(0.95, strength), "; ".join(advice(case)))


def doubled(case: Case) -> Measure | None:
    """What the learning curve says of about as many labels again."""
    if case.labels is None or not case.labels.worth:
        return None
    near = min(case.labels.worth, key=lambda worth: abs(worth.more - case.rows))
    gain = near.gain
    return Measure(gain.name, gain.value, gain.low, gain.high, near.more, gain.how)


def advice(case: Case) -> Iterator[str]:
    yield "label more rows (warmstart label picks those that teach most)"
    if case.labels is None:
        yield "warmstart prove --probe labels says what they would bring"
    ahead = case.frozen_ahead
    if ahead is not None and ahead.value >= 0:
        yield "until then take --strategy frozen"


CAUSE = FewLabels
