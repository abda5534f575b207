"""Which strategies are tried before one is chosen: those whose trial may change what is used in the end.

The rivals of a plan are trained in full whatever is chosen, and the better is recommended: to try them first
would pay twice for what is known anyway.

A trial is worth its price only where a strategy that is not first now may turn out to be: by what the choice
is expected to gain from what the trial will say (the knowledge gradient of Frazier, Powell & Dayanik 2008,
SIAM Journal on Control and Optimization 47:2410). Few rows that judge say little, and a trial on fewer rows
than all speaks of the whole only in part; so the belief after it will have moved less than the truth may lie
off the belief now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import erf, exp, hypot, pi, sqrt

from warmstart.base.types import Facts, Measure, Reason
from warmstart.decide.expect import UNKNOWN, Z, expected, likeness
from warmstart.decide.record import RECORDS, REFERENCE, Records

WORTH = 0.002  # expected gain in accuracy below which a strategy is not tried
DIFFER = 0.2  # share of the rows that two strategies answer differently, in the study
FEWEST = 20  # rows that judge
PER_CLASS = 2  # rows of the median class that a trial learns from
SHARES = (1 / 2, 1 / 4, 1 / 8)  # of the training rows that a trial learns from, the largest that can be paid
FIXED = 0.17  # share of a training that fewer rows do not save: looks at validation rows, preparations
MOST = 0.25  # of the seconds of the tuning that is decided on: the plan beside its rivals


@dataclass(frozen=True)
class Ask:
    """The trials to be made: each of these strategies on so many rows."""

    strategies: tuple[str, ...]
    rows: int
    reason: Reason


def which(facts: Facts, rivals: Sequence[str], suited: Sequence[str], records: Records = RECORDS) -> Ask:
    """The strategies to try, the reference among them, and on how many rows; none, with the reason.

    `rivals` are trained whatever is chosen, unless a budget may leave them out; `suited` are those to try
    where no record reaches. What has no effort among the facts cannot be tried.
    """
    judged = judging(facts)
    shares = [share for share in SHARES if share * facts.median_per_class >= PER_CLASS]
    rule = f"pilots: what may gain {100 * WORTH:.1f} points is tried, within {MOST:.0%} of the tuning"
    if judged < FEWEST or not shares:
        saw = f"{facts.rows:,} training rows, {facts.median_per_class:g} of the median class; "
        saw += f"{FEWEST} left out would have to judge, and {PER_CLASS} of a class teach"
        return Ask((), 0, Reason(rule, saw, "too few rows to try anything on"))
    first, hopes = improvements(facts, suited, records)
    known = [name for name in hopes if name in anyway(first, rivals) and facts.seconds_left is None]
    hopes = {name: hope for name, hope in hopes.items() if name not in known}
    by_hope = sorted(hopes, key=lambda name: -hopes[name])
    hoped = [name for name in by_hope if hopes[name] >= WORTH]
    saw = f"expected gain on {first} from a trial, in points: "
    saw += ", ".join(f"{name} {100 * hopes[name]:.2f}" for name in by_hope) or "none"
    if known:
        saw += f"; {' and '.join(known)} {'are' if len(known) > 1 else 'is'} trained in full anyway"
    if not hoped:
        return Ask((), 0, Reason(rule, saw, "none is tried"))
    budget = MOST * sum(facts.efforts[name] for name in rivals if name in facts.efforts)
    for share in shares:
        part = FIXED + (1 - FIXED) * share
        names = affordable(dict.fromkeys((REFERENCE, first)), hoped, facts, budget / part)
        if hoped[0] in names:
            effort = MOST * part * sum(facts.efforts[name] for name in names) / max(budget, 1e-12)
            saw += f"; {effort:.0%} of the tuning"
            so = f"{' and '.join(names)} are tried on {share:.0%} of the rows"
            return Ask(names, round(facts.rows * share), Reason(rule, saw, so))
    return Ask((), 0, Reason(rule, saw, "the most hopeful cannot be paid"))


def anyway(first: str, rivals: Iterable[str]) -> set[str]:
    """Strategies that are trained in full if the first is chosen; the reference only beside a frozen one."""
    return {name for name in rivals if name != REFERENCE or first == "frozen"}


def affordable(always: Iterable[str], hoped: Sequence[str], facts: Facts, seconds: float) -> tuple[str, ...]:
    """Those that have to be there, and of the others, the most hopeful first, what can still be paid."""
    names = list(always)
    for name in hoped:
        if name not in names and sum(facts.efforts[n] for n in (*names, name)) <= seconds:
            names.append(name)
    paid = sum(facts.efforts[n] for n in names) <= seconds
    return tuple(names) if paid else ()


def improvements(
    facts: Facts, suited: Sequence[str] = (), records: Records = RECORDS
) -> tuple[str, dict[str, float]]:
    """Of which strategy most is expected, and by each other one the improvement that is hoped for, 0 to 1."""
    known = {name: m for name, m in expected(facts, records).items() if name in facts.efforts}
    if not known:
        names = [name for name in suited if name != REFERENCE and name in facts.efforts]
        return REFERENCE, {name: improvement(UNKNOWN.mean, moved(name, UNKNOWN.sd, facts)) for name in names}
    first = max(known, key=lambda name: known[name].value)
    best = known[first]
    return first, {
        name: improvement(
            m.value - best.value, hypot(moved(name, spread(m), facts), moved(first, spread(best), facts))
        )
        for name, m in known.items()
        if name != first
    }


def judging(facts: Facts) -> int:
    """How many training rows are left out of trials, to judge."""
    return facts.rows - round(facts.rows * SHARES[0])


def moved(name: str, sd: float, facts: Facts) -> float:
    """How far a trial will move a belief of this standard deviation: the deviation of its mean afterwards."""
    noise = sqrt(DIFFER / max(1, judging(facts)))
    return likeness(name) * sd * sd / hypot(sd, noise) if sd else 0.0


def spread(known: Measure) -> float:
    return (known.high - known.low) / (2 * Z)


def improvement(mean: float, sd: float) -> float:
    """Of the positive part of a Gaussian."""
    if sd == 0:
        return max(0.0, mean)
    z = mean / sd
    return mean * (1 + erf(z / sqrt(2))) / 2 + sd * exp(-z * z / 2) / sqrt(2 * pi)
