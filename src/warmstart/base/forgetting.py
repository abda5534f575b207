"""What a tuned model has lost of what its source knew, and how that was bounded."""

from __future__ import annotations

from dataclasses import dataclass

from warmstart.base.types import Measure, Reason


@dataclass(frozen=True)
class Lost:
    """One thing that the source knew, before and after, on the same rows."""

    name: str  # "right" or "agrees": by the labels of the rows, or by what the source itself answers
    before: Measure
    after: Measure
    lost: Measure  # before minus after, paired: above 0 something is lost
    share: float | None  # of what the source had above chance; None where it had nothing
    how: str  # one sentence: on which rows


@dataclass(frozen=True)
class Forgot:
    """What one run has lost."""

    run: str
    kl: Measure | None  # of the source's own head above either body, nats a row; None where it has no head
    cka: Measure | None  # likeness of the features before the head; 1: the same
    retained: Lost | None  # the source's own head on rows that it was made for, or that are to be kept
    probe: Lost | None  # of a new linear probe on the features of the same rows: what is lost, not only moved


@dataclass(frozen=True)
class Mix:
    """A model between the source and a tuned one, as it was tried."""

    path: str  # the tuning that it lies on the way to
    alpha: float  # share of the change of the weights
    new: Measure  # accuracy on the validation rows of the new task
    new_loss: float  # log-loss there, nats
    lost: Measure  # on the retained rows that choose: value, and the upper end of a one-sided bound as `high`
    within: bool  # shown to be within the limit


@dataclass(frozen=True)
class Bounded:
    """How forgetting was held within a limit."""

    limit: str  # as it was asked for
    value: float  # the same as a share of rows, or in nats
    unit: str  # "points" or "nats"
    mixes: tuple[Mix, ...]
    chosen: Mix | None  # None: nothing but the source is within the limit
    met: bool  # by a model that learned something
    unbounded: Measure  # accuracy of the unbounded plan on the validation rows of the new task
    why: Reason
    tried: tuple[str, ...]  # paths, in their order
    rows: int  # retained rows that chose
    needed: int  # rows that could show this limit of a changed model at all


@dataclass(frozen=True)
class Forgetting:
    """Everything about it; `refused` where nothing could be measured."""

    source: str
    rows: str  # which rows are retained, in words
    runs: tuple[Forgot, ...] = ()
    bounded: Bounded | None = None
    refused: Reason | None = None
