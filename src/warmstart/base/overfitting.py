"""What is said of a run that does better on rows that it learned from: how far, since when, and why."""

from __future__ import annotations

from dataclasses import dataclass

from warmstart.base.measure import Measure


@dataclass(frozen=True)
class Onset:
    """Where a training began to make the validation rows worse, surely and to its end."""

    phase: int  # of the plan, from 1
    epoch: int  # of the phase, after which the validation loss was lowest; 0: before its first step
    sure: int  # epoch from which on every look is surely above that
    rise: Measure  # validation loss of the last look minus the lowest, nats, paired by row
    kept: bool  # did the run end with weights of after that?


@dataclass(frozen=True)
class Cause:
    """Why a run probably does better on the rows that it learned from, and what to do about it."""

    name: str  # "few labels", "label noise", ...
    why: str  # in words, with the numbers
    seen: dict[str, float]  # the numbers that it stands on
    strength: float  # 0 to 1; the likeliest cause has the highest
    do: str  # what to do next, as a command where there is one


@dataclass(frozen=True)
class Overfitting:
    """How much better a run does on rows it learned from than on rows it never saw."""

    gap: Measure  # train minus test
    verdict: str  # "none seen", "some", "strong"
    sentence: str
    onset: Onset | None = None  # None: the validation loss never rose surely, or there are too few looks
    causes: tuple[Cause, ...] = ()  # the likeliest first; none: nothing to explain, or it cannot be told
    membership: Measure | None = (
        None  # how well its losses tell training rows from test rows; 0.5: not at all
    )
