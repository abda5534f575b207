"""Beside the candidates: what the same rows give on the same folds without any pretrained network."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from warmstart.base.types import Baseline, Measure, Reason
from warmstart.select.judge import PROBE, Judged
from warmstart.select.scores._scoring import Folds, difference, of_rows


class OutOfFold(Protocol):
    """Log-likelihood and hits of each row, learned from the other folds, and the chosen penalty."""

    @property
    def rows_N(self) -> NDArray[np.float64]: ...
    @property
    def hits_N(self) -> NDArray[np.float64]: ...
    @property
    def penalty(self) -> float: ...


class Unaided(Protocol):
    """Rows of the ranking as something without a network reads them."""

    @property
    def name(self) -> str: ...
    @property
    def plain(self) -> str: ...
    @property
    def seconds(self) -> float: ...  # that reading took

    def out_of_fold(self, repeats: Sequence[Sequence[NDArray[np.int64]]]) -> OutOfFold: ...


def beside(unaided: Unaided, first: Judged, folds: Folds) -> Baseline:
    """Measured on the folds of the candidates, and against the probe of the first of them."""
    started = time.perf_counter()
    said = unaided.out_of_fold(folds.tests)
    score, accuracy = of_rows(said.rows_N, said.hits_N, folds), of_rows(said.hits_N, said.hits_N, folds)
    lead = difference(first.scorings[PROBE], score, folds)
    return Baseline(
        name=unaided.name,
        plain=unaided.plain,
        score=Measure("log-likelihood", score.value, score.low, score.high, folds.rows, score.how),
        accuracy=Measure("accuracy", accuracy.value, accuracy.low, accuracy.high, folds.rows, accuracy.how),
        lead=Measure("log-likelihood", *lead, folds.rows, f"{score.how}, paired"),
        penalty=said.penalty,
        seconds=unaided.seconds + time.perf_counter() - started,
    )


def no_better_than_baseline(ranked: Sequence[Judged], baseline: Baseline | None) -> Iterator[Reason]:
    """A warning, if the first candidate's frozen features are not shown to beat it."""
    if baseline is None or baseline.lead.low > 0:
        return
    first, lead = ranked[0], baseline.lead
    name, probe = first.candidate.name, first.scorings[PROBE]
    assert probe.hits_N is not None
    saw = (
        f"{PROBE} {probe.value:.3f} ({name}, {probe.hits_N.mean():.1%} right) against "
        f"{baseline.score.value:.3f} ({baseline.accuracy.value:.1%} right): difference {lead.value:+.3f} "
        f"[{lead.low:+.3f}, {lead.high:+.3f}], {lead.how}"
    )
    does = "does better" if lead.high < 0 else "does as well"
    yield Reason(
        "baseline", saw, f"{baseline.plain} {does}: the frozen features of {name} are not shown to beat it"
    )
