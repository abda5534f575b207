"""The JSON contract: what `--json` prints, what `result.json` holds and what every report form reads.

`warmstart schema result` prints its JSON Schema. Fields are added, never renamed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from warmstart.base.calibrated import Calibrated
from warmstart.base.forgetting import Forgetting
from warmstart.base.probed import Dependency, LabelBudget, RandomLabels
from warmstart.base.types import (
    Baseline,
    Facts,
    Finding,
    Gain,
    Measure,
    Option,
    Overfitting,
    Plan,
    Proof,
    Race,
    Reason,
    SeedScore,
)


@dataclass(frozen=True)
class ClassCount:
    """How many rows a class has in each split."""

    label: str
    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class DataSummary:
    """What was read."""

    source: str
    rows: int
    train: int
    validation: int
    test: int
    roles: dict[str, str]
    classes: tuple[ClassCount, ...]
    sample: tuple[dict[str, str], ...]  # three rows: role -> value, shortened
    fingerprint: str


@dataclass(frozen=True)
class RankedModel:
    """A row of the ranking table."""

    name: str
    source: str
    score: float
    low: float
    high: float
    accuracy: Measure
    opinions: dict[str, float]
    depths: dict[str, float]
    parameters: int
    prior: int
    licence: str
    seconds: float
    scored: bool = True  # or do score, low and high only hold its place?
    source_task: str = ""  # what it was made for
    bytes: int = 0  # of its weights on disk; 0: unknown
    pace: float = 0.0  # seconds per 1,000 rows of reading its features; 0: not timed


@dataclass(frozen=True)
class RunSummary:
    """A row of the comparison table, with its curve.

    Of several seeds the metrics are means over them, the seconds those of one training; accuracy on training
    rows and curve are those of the seed of lowest validation log-loss.
    """

    metrics: dict[str, Measure]  # on test rows: accuracy, macro_f1, log_loss, ece
    train_accuracy: float
    seconds: float
    parameters: int
    trained_parameters: int
    steps: int
    history: tuple[
        dict[str, Any], ...
    ]  # phase, epoch, step, train_loss, validation_loss, validation_accuracy, lr
    baseline: str = ""  # what answers where no network does: "a bag of words (...)"
    seeds: tuple[SeedScore, ...] = ()  # where there are several
    spread: dict[str, float] = field(default_factory=dict)  # standard deviation of each metric over them
    start: str = ""  # the pretrained model that it came from, where that is another than the plan's
    ticks: tuple[Proof, ...] = ()  # what was promised, checked on this training


@dataclass(frozen=True)
class Mistake:
    """A test row that the recommended model got wrong, most confidently wrong first."""

    where: str
    truth: str
    predicted: str
    probability: float  # given to the wrong answer
    text: str = ""
    image: str = ""  # data URI of a thumbnail, longest side at most 160 px


@dataclass(frozen=True)
class Confusion:
    """Counts of test rows: matrix[i][j] are rows of class i that were called class j."""

    labels: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Reproduce:
    """Enough to do it again."""

    command: str
    seed: int
    versions: dict[str, str]
    machine: dict[str, str]


@dataclass(frozen=True)
class Chart:
    """What would be chosen before anything is tried, over rows per class and similarity of the features."""

    per_class: tuple[float, ...]  # rows of the median class
    similarities: tuple[float, ...]  # 0: features at the floor, 1: perfect
    strategies: tuple[tuple[str, ...], ...]  # by similarity, then by rows
    here: tuple[float, float]  # where these data stand


@dataclass(frozen=True)
class Result:
    """Everything that one trip down the street found out."""

    run: str  # the run folder
    version: str  # of warmstart
    created: str  # ISO 8601, UTC
    seconds: float
    task: str
    verdict: str
    headline: str
    recommended: str
    why: Reason
    primary: str
    data: DataSummary
    score: str  # name of the score that ranked
    ranking: tuple[RankedModel, ...]
    ranking_reasons: tuple[Reason, ...]
    plan: Plan
    considered: tuple[Option, ...]
    anatomy: str  # before and after, as text
    runs: dict[str, RunSummary]
    gains: dict[str, Gain]
    overfitting: dict[str, Overfitting]
    detectable: float
    confusion: Confusion
    mistakes: tuple[Mistake, ...]
    findings: tuple[Finding, ...]
    proofs: dict[str, Any]
    reproduce: Reproduce
    baseline: Baseline | None = None  # out of fold, beside the ranking
    facts: Facts | None = None  # all that the decision looked at: pilots, prices, budget
    expected: dict[str, Measure] = field(default_factory=dict)  # accuracy beside full, by strategy
    chart: Chart | None = None  # when to fine-tune
    seeds: int = 1  # with which the plan and its rivals were trained
    race: Race | None = None  # short trainings of the first of the ranking
    shipped: SeedScore | None = None  # of several seeds the one whose model lies in model/
    labels: LabelBudget | None = None  # where the probe of labels was asked for
    weights: Dependency | None = None  # where the probe of weights was
    forgetting: Forgetting | None = None  # of runs from pretrained weights
    ticks: tuple[Proof, ...] = ()  # what was promised of every training, over all of them
    random_labels: RandomLabels | None = None  # where that control was
    calibration: Calibrated | None = None  # of the recommended run's model
