"""What the probes find out that cost trainings of their own: what labels and pretrained weights are worth."""

from __future__ import annotations

from dataclasses import dataclass

from warmstart.base.types import Gain, Measure, Reason


@dataclass(frozen=True)
class Learned:
    """One training of a learning curve, judged on the test rows."""

    rows: int  # that it learned from
    seed: int
    accuracy: Measure  # 95 % interval over test rows


@dataclass(frozen=True)
class Expected:
    """What the curve says of a number of labelled rows."""

    rows: int
    accuracy: Measure  # of the average training, on endless fresh rows; 90 % interval


@dataclass(frozen=True)
class Growth:
    """How accuracy grows with labelled rows: what was measured, and the curve, or why there is none."""

    measured: tuple[Learned, ...]
    expected: tuple[Expected, ...] = ()  # from the smallest size to four times the largest
    refused: Reason | None = None
    skipped: tuple[int, ...] = ()  # sizes that were measured and left out: too few rows of each class


@dataclass(frozen=True)
class Worth:
    """What the next labels add."""

    more: int  # labels
    gain: Measure  # 90 % interval


@dataclass(frozen=True)
class Several:
    """How many labels, or times the labels; `value` may be a bound alone, and `high` may be unknown."""

    value: float
    bound: str  # "": the value is known; else "more than" or "fewer than" it
    low: float
    high: float | None
    level: float  # of the interval


@dataclass(frozen=True)
class Target:
    """How many labels an accuracy takes, or why that cannot be said."""

    accuracy: float
    rows: Several | None = None
    refused: Reason | None = None


@dataclass(frozen=True)
class LabelBudget:
    """The plan's recipe on parts of the training rows, and what the curve through them says of more."""

    run: str  # the plan's name
    rows: int  # training rows of the run
    plan: Growth
    scratch: Growth | None = None  # None: the plan itself starts from fresh weights
    worth: tuple[Worth, ...] = ()
    targets: tuple[Target, ...] = ()
    reached: float | None = None  # the plan's accuracy at all rows, by its curve
    times: Several | None = None  # labels that scratch needs for it, over those of the plan
    refused: Reason | None = None  # why there is no such number
    trainings: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Start:
    """The plan's recipe from other weights, on the same rows."""

    name: str
    plain: str
    quality: Measure | None  # out-of-fold accuracy of a linear probe on its frozen features
    accuracy: Measure  # on test rows, tuned
    behind: Gain  # the plan's run minus this one, on the same test rows


@dataclass(frozen=True)
class Dependency:
    """How much the tuned model depends on how good the pretrained one is."""

    run: str  # the plan's name
    quality: Measure | None  # of the pretrained weights as they are
    accuracy: Measure | None
    starts: tuple[Start, ...] = ()
    refused: Reason | None = None
    trainings: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class RandomLabels:
    """The plan's recipe on rows with shuffled labels: there is nothing to learn but the rows themselves."""

    run: str  # the plan's name
    rows: int  # that it learned from
    reached: Measure  # share of them that get the shuffled label in the end
    true_labels: Measure | None  # share that get the true label where that was taught; same rows and recipe
    guessing: float  # share of the most frequent class
    by_heart: Measure  # share of the way from guessing to all rows that was learned; 0 or less: nothing was
    trainings: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Probed:
    """What was asked for; nothing where it was not."""

    labels: LabelBudget | None = None
    weights: Dependency | None = None
    random_labels: RandomLabels | None = None
