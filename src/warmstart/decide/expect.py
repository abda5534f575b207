"""What each strategy is expected to give here: the record of other sets, corrected by trials on these rows.

A Gaussian for each strategy's accuracy minus that of full fine-tuning. A trial on fewer rows measures that
difference with the noise of the rows that judged, and stands for the whole only as far as differences at
fewer rows went with those at all (`LIKENESS`, from the study).
"""

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt

from warmstart.base.types import Facts, Measure, Pilot
from warmstart.decide.record import RECORDS, REFERENCE, Belief, Records, beliefs, believed

# Correlation, beyond the record's line, of a difference from full fine-tuning at fewer rows with that at all.
# Whether a set suits frozen features, or needs no pretrained ones, fewer rows tell; which way of moving
# pretrained weights is best they do not (EXPERIMENTS.md).
LIKENESS = {"frozen": 0.8, "scratch": 0.75}
OTHERS = 0.1
UNKNOWN = Belief(0.0, 0.1)  # of a strategy that no record speaks of, where it is tried
Z = 1.96


def expected(facts: Facts, records: Records = RECORDS) -> dict[str, Measure]:
    """By strategy the accuracy expected beside that of the reference, with a 95 % interval.

    Strategies that neither the record nor a trial speaks of are absent.
    """
    known = beliefs(facts, records)
    tried = {pilot.strategy: pilot for pilot in facts.pilots}
    return {
        name: as_measure(name, after(name, known.get(name), tried.get(name), facts, records), tried)
        for name in dict.fromkeys((*known, *tried))
    }


def after(name: str, before: Belief | None, pilot: Pilot | None, facts: Facts, records: Records) -> Belief:
    """The belief in a strategy once its trial, if there was one, is known."""
    if name == REFERENCE:
        return Belief(0.0, 0.0)
    if pilot is None or pilot.ahead is None:
        return before or UNKNOWN
    if before is None:
        return updated(UNKNOWN, UNKNOWN, pilot.ahead.value, error(pilot), likeness(name))
    there = believed(fewer(facts, pilot.rows), records)[name]
    return updated(before, there, pilot.ahead.value, error(pilot), likeness(name))


def likeness(name: str) -> float:
    return LIKENESS.get(name, OTHERS)


def fewer(facts: Facts, rows: int) -> Facts:
    """The facts as they would be with fewer rows, and the same features."""
    return replace(facts, rows=rows, median_per_class=facts.median_per_class * rows / facts.rows)


def updated(before: Belief, there: Belief, seen: float, noise: float, alike: float) -> Belief:
    """Of a difference at all rows, after one at fewer, of which `there` was expected, was seen with noise."""
    weight = alike * before.sd * there.sd / (there.sd**2 + noise**2)
    left = before.sd**2 - alike * before.sd * there.sd * weight
    return Belief(before.mean + weight * (seen - there.mean), sqrt(max(0.0, left)))


def error(pilot: Pilot) -> float:
    """Standard error of a trial's paired difference."""
    assert pilot.ahead is not None
    return (pilot.ahead.high - pilot.ahead.low) / (2 * Z)


def as_measure(name: str, belief: Belief, tried: Mapping[str, Pilot]) -> Measure:
    how = "record of the decision study"
    if name in tried:
        how += f", and a trial on {tried[name].rows:,} rows"
    half = Z * belief.sd
    judged = tried[name].judged if name in tried else 0
    return Measure("accuracy beside full", belief.mean, belief.mean - half, belief.mean + half, judged, how)
