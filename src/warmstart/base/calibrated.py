"""Can the probabilities be believed? What was measured before and after one temperature was fitted."""

from __future__ import annotations

from dataclasses import dataclass, field

from warmstart.base.types import Measure, Reason


@dataclass(frozen=True)
class Bin:
    """Test rows that a model was about as sure of."""

    rows: int
    confidence: float  # mean probability of the answer
    right: Measure  # share of them that are right


@dataclass(frozen=True)
class Reliability:
    """How far the stated probabilities are from what came true, on the test rows."""

    ece: Measure  # 15 bins of equal width
    adaptive_ece: Measure  # 15 bins of equally many rows
    by_chance: Measure  # the ECE that so many rows give where every probability is true
    log_loss: Measure
    brier: Measure
    bins: tuple[Bin, ...] = ()  # equally many rows each


@dataclass(frozen=True)
class Calibrated:
    """A run's probabilities as they are, and divided by a temperature on the scale of the logits."""

    run: str
    before: Reliability
    why: Reason  # why the temperature is used, or is not
    temperature: float = 1.0  # fitted to validation rows; 1: none was
    used: bool = False  # do the predictions of warmstart use it?
    rows: int = 0  # validation rows that it was fitted to
    fitted: Measure | None = None  # log-loss on validation rows after minus before, out of fold, paired
    after: Reliability | None = None
    changes: dict[str, Measure] = field(default_factory=dict)  # on test rows, after minus before, paired
