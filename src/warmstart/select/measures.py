"""What is told of a candidate's scores: with intervals, on how many rows, and how far behind the best."""

from collections.abc import Sequence

from warmstart.base.types import Measure
from warmstart.select.judge import Judged
from warmstart.select.scores._scoring import Folds, Scoring, difference, of_rows


def behind(judged: Judged, ranked: Sequence[Judged], score: str, folds: Folds) -> Measure | None:
    """How far it is behind the best score of all, on the same rows; None where it has no score."""
    if score not in judged.scorings:
        return None
    leader = max((j.scorings[score] for j in ranked), key=lambda scoring: scoring.value)
    ends = difference(leader, judged.scorings[score], folds)
    return Measure(score, *ends, folds.rows, f"{leader.how}, paired")


def measure(name: str, judged: Judged, scoring: Scoring, folds: Folds, measured: bool) -> Measure:
    """Where nothing was measured, `scoring` holds the place: n = 0 says so."""
    if measured:
        return Measure(name, scoring.value, scoring.low, scoring.high, folds.rows, scoring.how)
    why = judged.fault or judged.absent[name]
    return Measure(name, scoring.value, scoring.value, scoring.value, 0, f"not measured: {why}")


def hits(probe: Scoring, folds: Folds) -> Scoring:
    """The accuracy of the probe as a Scoring of its own."""
    assert probe.hits_N is not None
    return of_rows(probe.hits_N, probe.hits_N, folds)
